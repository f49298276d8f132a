"""The two ways to find out who asks: everybody is the local user, or everybody has a key."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time

from server.access.callers import LOCAL_CALLER, AuthenticationError, Caller, Credentials, Limits
from server.access.keys import ApiKey
from server.access.store import KeyRecord, KeyStore

_log = logging.getLogger(__name__)

_NOTE_USE_EVERY_S = 60


class LocalUser:
    """Whoever works on this machine is the one user (SWITCHYARD_AUTH=off). Satisfies `Authenticator`."""

    async def authenticate(self, credentials: Credentials) -> Caller:
        """The local user, whatever key is sent along.

        Raises:
            AuthenticationError: the request comes from another machine, however it got here.
        """
        if not is_loopback(credentials.peer or ""):
            raise AuthenticationError(
                "This server answers its own machine only. To serve others, run it with SWITCHYARD_AUTH=keys.",
                code="not_local",
            )
        return LOCAL_CALLER


class KeyAuthenticator:
    """Everybody has an API key (SWITCHYARD_AUTH=keys). Satisfies `Authenticator`.

    Each request reads the key's row, so that a key that was revoked a moment ago, by whichever process, is refused.
    """

    def __init__(self, store: KeyStore, defaults: Limits) -> None:
        """Look keys up in `store`; `defaults` are the limits of those that name none."""
        self._store = store
        self._defaults = defaults
        self._noted: dict[str, float] = {}
        self._writes: set[asyncio.Task[None]] = set()

    async def authenticate(self, credentials: Credentials) -> Caller:
        """The owner of the key, with the key's scopes and limits.

        Raises:
            AuthenticationError: there is no key, or it is unknown, expired or revoked; which of them is not said.
        """
        token = credentials.token
        if token is None:
            raise AuthenticationError(
                "This server asks for an API key: send it as `Authorization: Bearer KEY` or `X-Api-Key: KEY`; "
                "commands take it from SWITCHYARD_API_KEY.",
                code="missing_key",
            )
        key, now = ApiKey.parse(token), time.time()
        record = await self._store.find(key.key_id) if key else None
        if key is None or record is None or not record.accepts(key, now):
            raise AuthenticationError("This API key is not known, has expired or was revoked. Ask for a new one.")
        self._note_use(record, now)
        return Caller(record.owner, frozenset(record.scopes), record.key_id, record.limits(self._defaults))

    async def close(self) -> None:
        """Finish what is being written."""
        if self._writes:
            await asyncio.wait(self._writes)

    def _note_use(self, record: KeyRecord, now: float) -> None:
        """Write the time of use, at most once a minute for each key; the request does not wait for it."""
        noted = max(record.last_used_at or 0, self._noted.get(record.key_id, 0))
        if now - noted < _NOTE_USE_EVERY_S:
            return
        self._noted[record.key_id] = now
        task = asyncio.create_task(self._store.note_use(record.key_id, now), name="note the use of a key")
        self._writes.add(task)
        task.add_done_callback(self._written)

    def _written(self, task: asyncio.Task[None]) -> None:
        self._writes.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("the time of a key's use could not be written", exc_info=error)


def is_loopback(address: str) -> bool:
    """Whether an address of the network is this machine's own."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
