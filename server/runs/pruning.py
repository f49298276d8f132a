"""Which rows of the app database are old enough to go, a bounded batch at a time."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Exists, delete, exists, select

from server.db.engine import Database
from server.db.tables import events, request_keys, runs, threads
from server.runs.rows import UNFINISHED

# How a run ended is always told: its reader gets a `gap` and then these.
_KEPT_EVENTS = ("result", "error", "end")


class PrunableRows:
    """Finds and deletes what has been kept long enough. Times are seconds since 1970."""

    def __init__(self, database: Database) -> None:
        """Prune `database`."""
        self._database = database

    async def prune_events(self, before: float, limit: int) -> int:
        """Forget how runs that ended before then came to their end, of at most `limit` runs; returns of how many."""
        whole = exists().where(events.c.run_id == runs.c.run_id, events.c.seq == 1, events.c.name.not_in(_KEPT_EVENTS))
        query = select(runs.c.run_id).where(runs.c.finished_at < before, whole).limit(limit)
        run_ids = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        gone = delete(events).where(events.c.run_id.in_(run_ids), events.c.name.not_in(_KEPT_EVENTS))
        if run_ids:
            await self._database.write(lambda connection: connection.execute(gone))
        return len(run_ids)

    async def temporary_threads(self, before: float, limit: int) -> Sequence[str]:
        """At most `limit` threads that were made for one run which ended before then."""
        query = select(threads.c.thread_id).where(threads.c.temporary, threads.c.updated_at < before, ~_at_work())
        return await self._database.read(lambda connection: connection.execute(query.limit(limit)).scalars().all())

    async def delete_threads(self, thread_ids: Sequence[str]) -> None:
        """Remove temporary threads with their runs and events."""
        query = delete(threads).where(threads.c.thread_id.in_(thread_ids), threads.c.temporary)
        await self._database.write(lambda connection: connection.execute(query))

    async def busy_threads(self) -> Sequence[str]:
        """The threads that a run works on."""
        query = select(runs.c.thread_id).where(runs.c.status.in_(UNFINISHED)).distinct()
        return await self._database.read(lambda connection: connection.execute(query).scalars().all())

    async def prune_request_keys(self, before: float, limit: int) -> int:
        """Forget at most `limit` keys of requests that came before then; returns how many."""
        old = select(request_keys.c.owner, request_keys.c.key).where(request_keys.c.created_at < before).limit(limit)

        def prune(connection: Connection) -> int:
            found = connection.execute(old).all()
            for owner, key in found:
                connection.execute(delete(request_keys).where(request_keys.c.owner == owner, request_keys.c.key == key))
            return len(found)

        return await self._database.write(prune)


def _at_work() -> Exists:
    return exists().where(runs.c.thread_id == threads.c.thread_id, runs.c.status.in_(UNFINISHED))
