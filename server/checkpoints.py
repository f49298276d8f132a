"""The graph's checkpoints in SQLite: one owner, whole operations, and runs that can be taken back."""

from __future__ import annotations

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from types import CoroutineType
from typing import Any, ClassVar, ParamSpec, TypeVar

import aiosqlite
import orjson
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

_Result = TypeVar("_Result")
_Arguments = ParamSpec("_Arguments")

# 15 October 1582, in seconds since 1970.
_UUID_EPOCH = -12_219_292_800

_RUN = "json_extract(CAST(metadata AS TEXT), '$.run_id')"
_SOURCE = "json_extract(CAST(metadata AS TEXT), '$.source')"
_IDS = f"SELECT checkpoint_id FROM checkpoints WHERE thread_id = ? AND {_RUN} = ?"
_OF_RUN = f"thread_id = ? AND checkpoint_id IN ({_IDS})"
_DELETE_RUN = (f"DELETE FROM writes WHERE {_OF_RUN}", f"DELETE FROM checkpoints WHERE {_OF_RUN}")
_OLD = """
    DELETE FROM checkpoints WHERE rowid IN (
        SELECT old.rowid FROM checkpoints AS old
        WHERE old.checkpoint_id < ? AND old.thread_id NOT IN (SELECT value FROM json_each(?)) AND EXISTS (
            SELECT 1 FROM checkpoints AS newer
            WHERE newer.thread_id = old.thread_id AND newer.checkpoint_ns = old.checkpoint_ns
                AND newer.checkpoint_id > old.checkpoint_id)
        LIMIT ?)
    RETURNING thread_id, checkpoint_ns, checkpoint_id
"""
_OLD_WRITES = "DELETE FROM writes WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?"
_STEPS = f"SELECT count(*) FROM checkpoints WHERE {_OF_RUN} AND {_SOURCE} = 'loop'"


def whole(
    operation: Callable[_Arguments, Coroutine[Any, Any, _Result]],
) -> Callable[_Arguments, CoroutineType[Any, Any, _Result]]:
    """Let an operation that has begun end before a cancellation of its caller takes effect.

    Cancelled halfway, the saver leaves its transaction open, which locks every other connection out, and its next
    commit writes half of what was cancelled.
    """

    @wraps(operation)
    async def uncancelled(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        work = asyncio.ensure_future(operation(*args, **kwargs))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            raise

    return uncancelled


class Checkpoints(BaseCheckpointSaver[str], ABC):
    """A saver whose operations end once they have begun, whoever stops waiting for them."""

    errors: ClassVar[tuple[type[Exception], ...]]
    """What an operation raises when the disk or the database does not let it."""

    @abstractmethod
    async def delete_run(self, thread_id: str, run_id: str) -> None:
        """Remove what a run has saved: its thread is as it was before the run."""

    @abstractmethod
    async def delete_idle_run(self, thread_id: str, run_id: str) -> None:
        """Remove what a run has saved, if no node has finished in it."""

    @abstractmethod
    async def forget_before(self, before: float, busy: Sequence[str], limit: int) -> int:
        """Remove at most `limit` checkpoints from before then (seconds since 1970); returns how many.

        The latest of each thread stays, and so does everything of the threads in `busy`.
        """


class SqliteCheckpoints(AsyncSqliteSaver, Checkpoints):
    """The saver of this process, the one owner of its file."""

    errors = (sqlite3.Error,)

    aget_tuple = whole(AsyncSqliteSaver.aget_tuple)
    aput = whole(AsyncSqliteSaver.aput)
    aput_writes = whole(AsyncSqliteSaver.aput_writes)
    adelete_thread = whole(AsyncSqliteSaver.adelete_thread)

    async def alist(self, config: RunnableConfig | None, **options: Any) -> AsyncIterator[CheckpointTuple]:
        """Checkpoints, the newest first. All are read at once: a slow reader would hold up whoever writes."""
        for found in await self._read_all(config, options):
            yield found

    @whole
    async def _read_all(self, config: RunnableConfig | None, options: dict[str, Any]) -> Sequence[CheckpointTuple]:
        return [found async for found in super().alist(config, **options)]

    @whole
    async def delete_run(self, thread_id: str, run_id: str) -> None:
        """Remove what a run has saved: its thread is as it was before the run."""
        async with self.lock:
            await self._delete_run((thread_id, thread_id, run_id))

    @whole
    async def delete_idle_run(self, thread_id: str, run_id: str) -> None:
        """Remove what a run has saved, if no node has finished in it."""
        named = (thread_id, thread_id, run_id)
        async with self.lock:
            async with self.conn.execute(_STEPS, named) as counted:
                [steps] = await counted.fetchone() or (0,)
            # Taking in the input is the first.
            if steps <= 1:
                await self._delete_run(named)

    @whole
    async def forget_before(self, before: float, busy: Sequence[str], limit: int) -> int:
        """Remove at most `limit` checkpoints from before then (seconds since 1970); returns how many.

        The latest of each thread stays, and so does everything of the threads in `busy`.
        """
        named = (first_id_at(before), orjson.dumps(list(busy)).decode(), limit)
        async with self.lock:
            async with self.conn.execute(_OLD, named) as found:
                gone = [tuple(row) for row in await found.fetchall()]
            await self.conn.executemany(_OLD_WRITES, gone)
            await self.conn.commit()
        return len(gone)

    async def _delete_run(self, named: tuple[str, str, str]) -> None:
        for statement in _DELETE_RUN:
            await self.conn.execute(statement, named)
        await self.conn.commit()


def first_id_at(moment: float) -> str:
    """The lowest id that a checkpoint of this time (seconds since 1970) can have: ids are UUIDs of version 6."""
    ticks = int((moment - _UUID_EPOCH) * 1e7)
    return f"{ticks >> 28:08x}-{ticks >> 12 & 0xFFFF:04x}-6{ticks & 0xFFF:03x}-0000-000000000000"


@asynccontextmanager
async def open_checkpoints(path: Path) -> AsyncGenerator[SqliteCheckpoints]:
    """Open the SQLite file at `path`, creating it if need be."""
    async with aiosqlite.connect(path, timeout=30) as connection:
        await connection.execute("PRAGMA journal_mode=WAL")
        # The run row is what must survive a power cut; a lost checkpoint only costs a rerun.
        await connection.execute("PRAGMA synchronous=NORMAL")
        checkpoints = SqliteCheckpoints(connection)
        await checkpoints.setup()
        yield checkpoints
