"""Threads as LangGraph's clients open, describe and search them; always for one owner."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from server.db.dialects import insert_if_new, written
from server.db.engine import Database
from server.db.tables import threads
from server.langgraph.bodies import ThreadSearch
from server.langgraph.views import thread_metadata
from server.runs.rows import ThreadRow
from server.runs.store import thread_row
from tools.errors import NotFoundError, SwitchyardError


class ThreadExistsError(SwitchyardError):
    """A thread of this id is there already (HTTP 409)."""

    code = "thread_exists"


class ThreadStore:
    """Reads and writes threads before and beside their runs."""

    def __init__(self, database: Database) -> None:
        """Keep everything in `database`."""
        self._database = database

    async def open(self, owner: str, thread_id: str, metadata: Mapping[str, Any], *, again: bool) -> ThreadRow:
        """A new thread, or with `again` the one that is there.

        Raises:
            NotFoundError: the thread belongs to somebody else.
            ThreadExistsError: it is there, and not `again`.
        """
        return await self._database.write(lambda connection: _open(connection, owner, thread_id, metadata, again))

    async def get(self, owner: str, thread_id: str) -> ThreadRow:
        """A thread.

        Raises:
            NotFoundError: this owner has no such thread.
        """
        return await self._database.read(lambda connection: _get(connection, owner, thread_id))

    async def describe(self, owner: str, thread_id: str, metadata: Mapping[str, Any]) -> ThreadRow:
        """Add to a thread's metadata.

        Raises:
            NotFoundError: this owner has no such thread.
        """
        return await self._database.write(lambda connection: _describe(connection, owner, thread_id, metadata))

    async def search(self, owner: str, wanted: ThreadSearch) -> list[ThreadRow]:
        """The threads that have all of the metadata that is asked for, sorted; a page of them."""
        found = await self._matching(owner, wanted)
        return found[wanted.offset : wanted.offset + wanted.limit]

    async def count(self, owner: str, wanted: ThreadSearch) -> int:
        """How many threads a search without pages finds."""
        return len(await self._matching(owner, wanted))

    async def _matching(self, owner: str, wanted: ThreadSearch) -> list[ThreadRow]:
        # State and row change together here.
        column = threads.c["updated_at" if wanted.sort_by == "state_updated_at" else wanted.sort_by]
        query = select(threads).where(threads.c.owner == owner, ~threads.c.temporary)
        query = query.order_by(column.asc() if wanted.sort_order == "asc" else column.desc(), threads.c.thread_id)
        if wanted.status is not None:
            query = query.where(threads.c.status == wanted.status)
        if wanted.ids is not None:
            query = query.where(threads.c.thread_id.in_(wanted.ids))
        found = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        # In Python: a key from outside has no place in a statement.
        return [row for row in map(thread_row, found) if _holds(thread_metadata(row), wanted.metadata)]


def _get(connection: Connection, owner: str, thread_id: str) -> ThreadRow:
    query = select(threads).where(threads.c.thread_id == thread_id, threads.c.owner == owner)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFoundError(f"There is no thread {thread_id!r}.", thread_id=thread_id)
    return thread_row(row)


def _open(connection: Connection, owner: str, thread_id: str, metadata: Mapping[str, Any], again: bool) -> ThreadRow:
    now = time.time()
    row = {
        "thread_id": thread_id,
        "owner": owner,
        "title": "",
        "metadata": dict(metadata),
        "created_at": now,
        "updated_at": now,
    }
    made = written(connection, insert_if_new(connection, threads), row)
    thread = _get(connection, owner, thread_id)
    if not made and not again:
        raise ThreadExistsError(f"There is a thread {thread_id!r} already.", thread_id=thread_id)
    return thread


def _describe(connection: Connection, owner: str, thread_id: str, metadata: Mapping[str, Any]) -> ThreadRow:
    there = _get(connection, owner, thread_id)
    values = {"metadata": {**there.metadata, **metadata}, "updated_at": time.time()}
    connection.execute(update(threads).where(threads.c.thread_id == thread_id).values(values))
    return _get(connection, owner, thread_id)


def _holds(metadata: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(name in metadata and _contains(metadata[name], value) for name, value in wanted.items())


def _contains(there: Any, wanted: Any) -> bool:
    if isinstance(there, Mapping) and isinstance(wanted, Mapping):
        return _holds(there, wanted)  # pyright: ignore[reportUnknownArgumentType]
    return bool(there == wanted)
