"""LangGraph's checkpoints in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from server.checkpoints import Checkpoints, first_id_at, whole
from server.postgres.connections import adapt, adapt_json, connection_info, reported_failures

_Connection = psycopg.AsyncConnection[DictRow]
_Pool = AsyncConnectionPool[_Connection]

_IDS = "SELECT checkpoint_id FROM checkpoints WHERE thread_id = %(thread)s AND metadata ->> 'run_id' = %(run)s"
_OF_RUN = f"thread_id = %(thread)s AND checkpoint_id IN ({_IDS})"
_STEPS = f"SELECT count(*) AS steps FROM checkpoints WHERE {_OF_RUN} AND metadata ->> 'source' = 'loop'"
_DELETE_RUN = (f"DELETE FROM checkpoint_writes WHERE {_OF_RUN}", f"DELETE FROM checkpoints WHERE {_OF_RUN}")
_OLD = """
    DELETE FROM checkpoints WHERE (thread_id, checkpoint_ns, checkpoint_id) IN (
        SELECT thread_id, checkpoint_ns, checkpoint_id FROM checkpoints AS old
        WHERE old.checkpoint_id < %(first)s AND old.thread_id <> ALL(%(busy)s) AND EXISTS (
            SELECT 1 FROM checkpoints AS newer
            WHERE newer.thread_id = old.thread_id AND newer.checkpoint_ns = old.checkpoint_ns
                AND newer.checkpoint_id > old.checkpoint_id)
        LIMIT %(limit)s)
    RETURNING thread_id, checkpoint_ns, checkpoint_id
"""
_OLD_WRITES = """
    DELETE FROM checkpoint_writes
    WHERE thread_id = %(thread_id)s AND checkpoint_ns = %(checkpoint_ns)s AND checkpoint_id = %(checkpoint_id)s
"""
# The values of channels lie apart from the checkpoints, which share them as long as they do not change.
_UNUSED_VALUES = """
    DELETE FROM checkpoint_blobs
    WHERE thread_id = ANY(%(threads)s) AND (thread_id, checkpoint_ns, channel, version) NOT IN (
        SELECT thread_id, checkpoint_ns, used.key, used.value
        FROM checkpoints CROSS JOIN LATERAL jsonb_each_text(checkpoint -> 'channel_versions') AS used
        WHERE thread_id = ANY(%(threads)s))
"""
# Any number, the same for all servers of a database.
_SETUP_LOCK = 0x5357_4348
_LOCK_AGAIN_S = 0.1


class PostgresCheckpoints(AsyncPostgresSaver, Checkpoints):
    """The saver of this process in a database that others may use as well."""

    errors = (psycopg.Error,)

    aget_tuple = whole(AsyncPostgresSaver.aget_tuple)
    aput = whole(AsyncPostgresSaver.aput)
    aput_writes = whole(AsyncPostgresSaver.aput_writes)
    adelete_thread = whole(AsyncPostgresSaver.adelete_thread)

    def __init__(self, pool: _Pool) -> None:
        """Save through `pool`, one operation after the other."""
        super().__init__(pool)
        self._pool = pool

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
        async with self._transaction() as cursor:
            await _delete_run(cursor, thread_id, run_id)

    @whole
    async def delete_idle_run(self, thread_id: str, run_id: str) -> None:
        """Remove what a run has saved, if no node has finished in it."""
        async with self._transaction() as cursor:
            await cursor.execute(_STEPS, {"thread": thread_id, "run": run_id})
            counted = await cursor.fetchone()
            # Taking in the input is the first.
            if counted is None or counted["steps"] <= 1:
                await _delete_run(cursor, thread_id, run_id)

    @whole
    async def forget_before(self, before: float, busy: Sequence[str], limit: int) -> int:
        """Remove at most `limit` checkpoints from before then (seconds since 1970); returns how many.

        The latest of each thread stays, and so does everything of the threads in `busy`.
        """
        async with self._transaction() as cursor:
            await cursor.execute(_OLD, {"first": first_id_at(before), "busy": list(busy), "limit": limit})
            gone = await cursor.fetchall()
            if gone:
                await cursor.executemany(_OLD_WRITES, gone)
                await _delete_unused_values(cursor, sorted({row["thread_id"] for row in gone}))
        return len(gone)

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[psycopg.AsyncCursor[DictRow]]:
        async with (
            self.lock,
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor() as cursor,
        ):
            yield cursor


async def _delete_run(cursor: psycopg.AsyncCursor[DictRow], thread_id: str, run_id: str) -> None:
    for statement in _DELETE_RUN:
        await cursor.execute(statement, {"thread": thread_id, "run": run_id})
    await _delete_unused_values(cursor, [thread_id])


async def _delete_unused_values(cursor: psycopg.AsyncCursor[DictRow], thread_ids: list[str]) -> None:
    await cursor.execute(_UNUSED_VALUES, {"threads": thread_ids})


@asynccontextmanager
async def open_postgres_checkpoints(url: str) -> AsyncGenerator[PostgresCheckpoints]:
    """Open the checkpoints in the database at `url`, making their tables if need be.

    Raises:
        DatabaseUnavailableError: it cannot be reached or used.
    """
    info = connection_info(url)
    pool: _Pool = AsyncConnectionPool(
        info,
        connection_class=_Connection,
        kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
        # The saver uses one at a time; a lost one is replaced.
        min_size=1,
        max_size=1,
        configure=_configure,
        check=_check,
        open=False,
    )
    with reported_failures():
        # Says at once what is wrong, where the pool would try until its time is up.
        connection = await psycopg.AsyncConnection.connect(info, autocommit=True)
    async with connection, pool:
        checkpoints = PostgresCheckpoints(pool)
        with reported_failures():
            async with _alone(connection):
                await checkpoints.setup()
        await connection.close()
        yield checkpoints


async def _check(connection: _Connection) -> None:
    """Fail where the connection is lost."""
    await connection.execute("")


async def _configure(connection: _Connection) -> None:
    adapt(connection)
    adapt_json(connection)


@asynccontextmanager
async def _alone(connection: psycopg.AsyncConnection[Any]) -> AsyncGenerator[None]:
    """Keep other servers out, which make the same tables.

    The lock is asked for again and again: who waited for it inside of a statement would hold up the making of indexes
    (CREATE INDEX CONCURRENTLY), which waits for the statements that have begun.
    """
    while True:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s) AS taken", [_SETUP_LOCK])
        [taken] = await cursor.fetchone() or (False,)
        if taken:
            break
        await asyncio.sleep(_LOCK_AGAIN_S)
    try:
        yield
    finally:
        await connection.execute("SELECT pg_advisory_unlock(%s)", [_SETUP_LOCK])
