"""The end of the audit log, where rows are added: in the caller's transaction, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, insert, select, update

from server.audit.entry import RUN_KINDS, AuditEntry, Row, row_hash, sealed_text
from server.audit.head import HeadKeeper
from server.audit.key import AuditKey, load_or_create_key
from server.db.tables import audit, audit_end

_KNOWN = select(audit.c.sequence).where(audit.c.run_id == bindparam("run_id"), audit.c.kind == bindparam("kind"))
_NEXT = update(audit_end).values(sequence=audit_end.c.sequence + 1).returning(audit_end.c.sequence, audit_end.c.hash)
_ADDITION = insert(audit)
_LAST_HASH = update(audit_end)


@dataclass(frozen=True)
class AuditFiles:
    """Where the key and the head lie. Best on another disk, for people who cannot write to the database."""

    key: Path
    head: Path

    @classmethod
    def beside(cls, database: Path) -> AuditFiles:
        """In the database's folder."""
        return cls(database.with_name("audit.key"), database.with_name("audit-head.json"))


class AuditTrail:
    """Appends entries. Whatever changes the thing that an entry is about belongs into the same transaction."""

    def __init__(self, key: AuditKey, head: HeadKeeper) -> None:
        """Seal rows with `key`, and tell `head` how far the log goes."""
        self.key = key
        self._head = head
        self._last = 0

    @classmethod
    def open(cls, engine: Engine, files: AuditFiles) -> AuditTrail:
        """The trail of a database whose schema is up to date; the key is made on first use. Blocks.

        Raises:
            AuditKeyError: the key cannot be read or written.
        """
        key = load_or_create_key(files.key)
        head = HeadKeeper(engine, key, files.head)
        head.catch_up()
        return cls(key, head)

    def append(self, connection: Connection, entry: AuditEntry) -> Row | None:
        """Add a row to the log, within the caller's transaction; returns it.

        A run that has a row of this kind keeps it: then nothing is added, and `None` is returned.
        """
        if entry.kind in RUN_KINDS and entry.run_id is not None and _is_known(connection, entry):
            return None
        # Takes the one row that says where the log ends: whoever appends next, in whichever process, waits here.
        end = connection.execute(_NEXT).one()
        row: dict[str, Any] = entry.content(end.sequence, end.hash)
        row["seal"] = self.key.seal("row", sealed_text(row))
        row["hash"] = row_hash(row)
        connection.execute(_ADDITION, row)
        connection.execute(_LAST_HASH, {"hash": row["hash"]})
        self._last = end.sequence
        return row

    def committed(self) -> None:
        """Say that a transaction was committed which may have appended. Does not wait."""
        self._head.follow(self._last)

    def close(self) -> None:
        """Bring the head up to date. Blocks."""
        self._head.close()


def _is_known(connection: Connection, entry: AuditEntry) -> bool:
    return connection.execute(_KNOWN, {"run_id": entry.run_id, "kind": entry.kind}).first() is not None
