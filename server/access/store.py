"""The keys in the app database."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, insert, select, update

from server.access.callers import Limits
from server.access.keys import ApiKey
from server.access.scopes import SCOPES, Scope
from server.audit.entry import AuditEntry, AuditKind
from server.db.engine import Database
from server.db.tables import api_keys
from tools.errors import InputError, NotFoundError

KeyStatus = Literal["active", "expired", "revoked"]
# No slash: collections in the vector store are named `owner/collection`.
_OWNER = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_LIMITS = tuple(field.name for field in fields(Limits))


@dataclass(frozen=True)
class NewKey:
    """A key to make. `lifetime_s` None never ends; a limit that is not named is the server's."""

    owner: str
    name: str
    scopes: Sequence[Scope]
    lifetime_s: float | None = None
    limits: dict[str, float | None] | None = None


@dataclass(frozen=True)
class KeyRecord:
    """A stored key. Limits that are None are the server's own; times are seconds since 1970."""

    key_id: str
    sha256: str
    previous_sha256: str | None
    previous_expires_at: float | None
    owner: str
    name: str
    scopes: tuple[Scope, ...]
    requests_per_minute: int | None
    tokens_per_day: int | None
    tokens_per_month: int | None
    usd_per_day: float | None
    usd_per_month: float | None
    created_at: float
    issued_at: float
    expires_at: float | None
    revoked_at: float | None
    last_used_at: float | None

    def status(self, now: float) -> KeyStatus:
        """Whether the key can be used."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"

    def accepts(self, key: ApiKey, now: float) -> bool:
        """Whether this is that key, or the one before it as long as that may still be used."""
        if self.status(now) != "active":
            return False
        if key.is_hashed_as(self.sha256):
            return True
        if self.previous_sha256 is None or now >= (self.previous_expires_at or 0):
            return False
        return key.is_hashed_as(self.previous_sha256)

    def limits(self, defaults: Limits) -> Limits:
        """The key's limits; those that it does not name are the defaults."""
        named = {name: getattr(self, name) for name in _LIMITS}
        return replace(defaults, **{name: value for name, value in named.items() if value is not None})


class KeyStore:
    """Makes, finds, lists, revokes and rotates keys."""

    def __init__(self, database: Database) -> None:
        """Keep them in `database`."""
        self._database = database

    async def create(self, new: NewKey) -> ApiKey:
        """Make a key. This is the only time that anybody sees it.

        Raises:
            InputError: the owner's name or a scope is none.
        """
        _check(new)
        key, now = ApiKey.new(), time.time()
        row = {
            "key_id": key.key_id,
            "sha256": key.sha256,
            "owner": new.owner,
            "name": new.name,
            "scopes": sorted(set(new.scopes)),
            **dict.fromkeys(_LIMITS),
            **(new.limits or {}),
            "created_at": now,
            "issued_at": now,
            "expires_at": None if new.lifetime_s is None else now + new.lifetime_s,
        }
        audit = self._database.audit

        def create(connection: Connection) -> None:
            connection.execute(insert(api_keys), row)
            audit.append(connection, _entry("key_created", _required(connection, key.key_id)))

        await self._database.write(create)
        return key

    async def find(self, key_id: str) -> KeyRecord | None:
        """The key with this id."""
        return await self._database.read(lambda connection: _find(connection, key_id))

    async def list(self) -> list[KeyRecord]:
        """All keys, the newest first."""
        query = select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.key_id)
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [_record(row) for row in rows]

    async def revoke(self, key_id: str) -> KeyRecord:
        """End a key at once and for good; one that was revoked before stays as it was.

        Raises:
            NotFoundError: there is no such key.
        """
        audit = self._database.audit

        def revoke(connection: Connection) -> KeyRecord:
            record = _required(connection, key_id)
            if record.revoked_at is None:
                record = replace(record, revoked_at=time.time(), previous_sha256=None, previous_expires_at=None)
                _set(connection, key_id, record, "revoked_at", "previous_sha256", "previous_expires_at")
                audit.append(connection, _entry("key_revoked", record))
            return record

        return await self._database.write(revoke)

    async def rotate(self, key_id: str, grace_s: float = 0) -> ApiKey:
        """Give a key a new secret and its lifetime anew; the old one works for another `grace_s` seconds.

        Owner, scopes, limits and what was spent stay.

        Raises:
            NotFoundError: there is no such key.
            InputError: it was revoked.
        """
        key, audit = ApiKey.new(key_id), self._database.audit

        def rotate(connection: Connection) -> None:
            record, now = _required(connection, key_id), time.time()
            if record.revoked_at is not None:
                raise InputError(f"The key {key_id} was revoked. Make a new one.", code="key_revoked")
            ends = None if record.expires_at is None else now + record.expires_at - record.issued_at
            old_ends = now + grace_s if record.expires_at is None else min(now + grace_s, record.expires_at)
            renewed = replace(
                record,
                sha256=key.sha256,
                previous_sha256=record.sha256 if grace_s else None,
                previous_expires_at=old_ends if grace_s else None,
                issued_at=now,
                expires_at=ends,
            )
            _set(
                *(connection, key_id, renewed),
                *("sha256", "previous_sha256", "previous_expires_at", "issued_at", "expires_at"),
            )
            audit.append(connection, _entry("key_rotated", renewed))

        await self._database.write(rotate)
        return key

    async def note_use(self, key_id: str, used_at: float) -> None:
        """Remember when a key was last used."""
        query = update(api_keys).where(api_keys.c.key_id == key_id).values(last_used_at=used_at)
        await self._database.write(lambda connection: connection.execute(query))


def _entry(kind: AuditKind, record: KeyRecord) -> AuditEntry:
    """What the audit log keeps of a key: whose it is and what it may do, nothing of its secret."""
    details = {"scopes": list(record.scopes), "expires_at": record.expires_at}
    return AuditEntry(kind, record.owner, subject=record.key_id, details=details)


def _check(new: NewKey) -> None:
    if not _OWNER.fullmatch(new.owner):
        raise InputError(
            f"{new.owner!r} cannot be an owner: 1 to 64 letters, digits, dots, dashes, underscores or @.",
            code="invalid_owner",
        )
    if not new.scopes:
        raise InputError(f"A key needs a scope: {', '.join(SCOPES)}.", code="invalid_scope")
    for scope in new.scopes:
        if scope not in SCOPES:
            raise InputError(f"There is no scope {scope!r}; there are {', '.join(SCOPES)}.", code="invalid_scope")
    if unknown := set(new.limits or {}) - set(_LIMITS):
        raise InputError(f"There is no limit {min(unknown)!r}; there are {', '.join(_LIMITS)}.", code="invalid_limit")


def _required(connection: Connection, key_id: str) -> KeyRecord:
    if (record := _find(connection, key_id)) is None:
        raise NotFoundError(f"There is no key {key_id!r}. List them with: switchyard keys list", key_id=key_id)
    return record


def _find(connection: Connection, key_id: str) -> KeyRecord | None:
    row = connection.execute(select(api_keys).where(api_keys.c.key_id == key_id)).mappings().first()
    return None if row is None else _record(row)


def _set(connection: Connection, key_id: str, record: KeyRecord, *columns: str) -> None:
    values = {column: getattr(record, column) for column in columns}
    connection.execute(update(api_keys).where(api_keys.c.key_id == key_id).values(values))


def _record(row: RowMapping) -> KeyRecord:
    values: dict[str, Any] = {field.name: row[field.name] for field in fields(KeyRecord)}
    values["scopes"] = tuple(row["scopes"])
    return KeyRecord(**values)
