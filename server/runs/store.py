"""Threads and runs in the app database."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from server.db.engine import Database
from server.db.tables import events, query_log, runs, threads
from server.runs.events import RunEvent
from tools.errors import NotFoundError

RunStatus = Literal["pending", "running", "success", "error", "cancelled"]
_TITLE_CHARS = 80
_UNFINISHED = ("pending", "running")


@dataclass(frozen=True)
class NewRun:
    """A run as it is written down before anything happens."""

    run_id: str
    thread_id: str
    owner: str
    message: str
    input: Mapping[str, Any]
    trace_id: str


@dataclass(frozen=True)
class RunRow:
    """A stored run."""

    run_id: str
    thread_id: str
    status: RunStatus
    message: str
    result: dict[str, Any] | None
    error_code: str | None
    trace_id: str
    created_at: float
    finished_at: float | None


@dataclass(frozen=True)
class ThreadRow:
    """A stored thread."""

    thread_id: str
    title: str
    created_at: float
    updated_at: float


@dataclass(frozen=True)
class Outcome:
    """How a run ended: what is written together with its events."""

    status: RunStatus
    result: Mapping[str, Any] | None
    error_code: str | None
    ttft_ms: float | None
    total_ms: float


class RunStore:
    """Reads and writes threads, runs, events and the query log, always for one owner."""

    def __init__(self, database: Database) -> None:
        """Keep everything in `database`."""
        self._database = database

    async def create(self, run: NewRun) -> None:
        """Write a run, and its thread if that is new, durably.

        Raises:
            NotFoundError: the thread belongs to somebody else.
        """
        now = time.time()
        title = " ".join(run.message.split())[:_TITLE_CHARS]
        thread = {"thread_id": run.thread_id, "owner": run.owner, "title": title, "created_at": now, "updated_at": now}
        async with self._database.write() as connection:
            upsert = sqlite_insert(threads).values(thread)
            upsert = upsert.on_conflict_do_update(
                index_elements=["thread_id"], set_={"updated_at": now}, where=threads.c.owner == run.owner
            ).returning(threads.c.thread_id)
            if (await connection.execute(upsert)).first() is None:
                raise NotFoundError(f"There is no thread {run.thread_id!r}.", thread_id=run.thread_id)
            row = {
                "run_id": run.run_id,
                "thread_id": run.thread_id,
                "owner": run.owner,
                "status": "pending",
                "message": run.message,
                "input": dict(run.input),
                "trace_id": run.trace_id,
                "created_at": now,
            }
            await connection.execute(insert(runs).values(row))

    async def finish(self, run: NewRun, log: Sequence[RunEvent], outcome: Outcome) -> None:
        """Write how a run ended, its events and its line in the query log, all or nothing."""
        async with self._database.write() as connection:
            await _finish(connection, run.run_id, log, outcome)
            await connection.execute(sqlite_insert(query_log).on_conflict_do_nothing(), [_log_line(run, outcome)])

    async def get(self, owner: str, run_id: str) -> RunRow:
        """A run.

        Raises:
            NotFoundError: this owner has no such run.
        """
        query = select(runs).where(runs.c.run_id == run_id, runs.c.owner == owner)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            raise NotFoundError(f"There is no run {run_id!r}.", run_id=run_id)
        return _run_row(row)

    async def events(self, run_id: str, after: int) -> list[RunEvent]:
        """The stored events of a run after number `after`."""
        query = select(events).where(events.c.run_id == run_id, events.c.seq > after).order_by(events.c.seq)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [RunEvent(row.run_id, row.seq, row.name, row.data) for row in rows]

    async def threads(self, owner: str, limit: int) -> list[ThreadRow]:
        """An owner's threads, the newest first."""
        query = select(threads).where(threads.c.owner == owner).order_by(threads.c.updated_at.desc()).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [ThreadRow(row.thread_id, row.title, row.created_at, row.updated_at) for row in rows]

    async def thread(self, owner: str, thread_id: str) -> tuple[ThreadRow, list[RunRow]]:
        """A thread with its runs, oldest first.

        Raises:
            NotFoundError: this owner has no such thread.
        """
        of_thread = select(threads).where(threads.c.thread_id == thread_id, threads.c.owner == owner)
        of_runs = select(runs).where(runs.c.thread_id == thread_id, runs.c.owner == owner).order_by(runs.c.created_at)
        async with self._database.read() as connection:
            row = (await connection.execute(of_thread)).first()
            if row is None:
                raise NotFoundError(f"There is no thread {thread_id!r}.", thread_id=thread_id)
            found = (await connection.execute(of_runs)).mappings().all()
        return ThreadRow(row.thread_id, row.title, row.created_at, row.updated_at), [_run_row(run) for run in found]

    async def delete_thread(self, owner: str, thread_id: str) -> None:
        """Remove a thread with its runs and events.

        Raises:
            NotFoundError: this owner has no such thread.
        """
        query = delete(threads).where(threads.c.thread_id == thread_id, threads.c.owner == owner)
        async with self._database.write() as connection:
            if not (await connection.execute(query)).rowcount:
                raise NotFoundError(f"There is no thread {thread_id!r}.", thread_id=thread_id)

    async def close_unfinished(self) -> int:
        """End what an earlier process left unfinished with an error and a terminal event; returns how many runs."""
        query = select(runs.c.run_id).where(runs.c.status.in_(_UNFINISHED))
        async with self._database.write() as connection:
            unfinished = list((await connection.execute(query)).scalars())
            for run_id in unfinished:
                await _finish(connection, run_id, _aborted(run_id), Outcome("error", None, "server_stopped", None, 0))
        return len(unfinished)


async def _finish(connection: AsyncConnection, run_id: str, log: Sequence[RunEvent], outcome: Outcome) -> None:
    rows = [{"run_id": run_id, "seq": event.seq, "name": event.name, "data": event.data} for event in log]
    await connection.execute(sqlite_insert(events).on_conflict_do_nothing(), rows)
    values = {
        "status": outcome.status,
        "result": None if outcome.result is None else dict(outcome.result),
        "error_code": outcome.error_code,
        "finished_at": time.time(),
    }
    await connection.execute(update(runs).where(runs.c.run_id == run_id).values(values))


def _aborted(run_id: str) -> list[RunEvent]:
    error = {"code": "server_stopped", "message": "The server stopped during this run. Ask again.", "trace_id": run_id}
    return [RunEvent(run_id, 1, "error", orjson.dumps(error).decode()), RunEvent(run_id, 2, "end", "{}")]


def _run_row(row: RowMapping) -> RunRow:
    names = (
        "run_id",
        "thread_id",
        "status",
        "message",
        "result",
        "error_code",
        "trace_id",
        "created_at",
        "finished_at",
    )
    return RunRow(**{name: row[name] for name in names})


def _log_line(run: NewRun, outcome: Outcome) -> dict[str, Any]:
    result = outcome.result or {}
    usage = result.get("usage", {})
    return {
        "run_id": run.run_id,
        "owner": run.owner,
        "thread_id": run.thread_id,
        "query": run.message,
        "route": result.get("route"),
        "routed_to": result.get("routed_to"),
        "passages": result.get("explanation", {}).get("passages", []),
        "answer": result.get("answer"),
        "status": outcome.status,
        "ttft_ms": outcome.ttft_ms,
        "total_ms": outcome.total_ms,
        "prompt_tokens": usage.get("prompt_tokens", 0),
        "completion_tokens": usage.get("completion_tokens", 0),
        "cost_usd": usage.get("cost_usd", 0.0),
        "versions": result.get("versions", {}),
        "created_at": time.time(),
    }
