"""Threads and runs in the app database."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, Row, RowMapping, and_, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from server.db.engine import Database
from server.db.tables import events, feedback, query_log, runs, threads
from server.runs.events import TERMINAL, RunEvent
from tools.errors import NotFoundError

RunStatus = Literal["pending", "running", "success", "error", "cancelled"]
_TITLE_CHARS = 80
_UNFINISHED = ("pending", "running")
SERVER_STOPPED = "server_stopped"


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
class Verdict:
    """A person's feedback on a run."""

    score: int
    comment: str | None


@dataclass(frozen=True)
class TurnRow:
    """A run as a turn of its thread, with the documents attached to it and its owner's feedback."""

    run: RunRow
    document_ids: Sequence[str]
    feedback: Verdict | None


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
        await self._database.write(lambda connection: _create(connection, run))

    async def finish(self, run: NewRun, log: Sequence[RunEvent], outcome: Outcome) -> None:
        """Write how a run ended, its events and its line in the query log, all or nothing."""
        await self._database.write(lambda connection: _finish(connection, run, log, outcome))

    async def get(self, owner: str, run_id: str) -> RunRow:
        """A run.

        Raises:
            NotFoundError: this owner has no such run.
        """
        query = select(runs).where(runs.c.run_id == run_id, runs.c.owner == owner)
        row = await self._database.read(lambda connection: connection.execute(query).mappings().first())
        if row is None:
            raise NotFoundError(f"There is no run {run_id!r}.", run_id=run_id)
        return _run_row(row)

    async def events(self, run_id: str, after: int) -> list[RunEvent]:
        """The stored events of a run after number `after`."""
        query = select(events).where(events.c.run_id == run_id, events.c.seq > after).order_by(events.c.seq)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [RunEvent(row.run_id, row.seq, row.name, row.data) for row in rows]

    async def threads(self, owner: str, limit: int) -> list[ThreadRow]:
        """An owner's threads, the newest first."""
        query = select(threads).where(threads.c.owner == owner).order_by(threads.c.updated_at.desc()).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [ThreadRow(row.thread_id, row.title, row.created_at, row.updated_at) for row in rows]

    async def thread(self, owner: str, thread_id: str) -> tuple[ThreadRow, list[TurnRow]]:
        """A thread with its turns, oldest first.

        Raises:
            NotFoundError: this owner has no such thread.
        """
        of_thread = select(threads).where(threads.c.thread_id == thread_id, threads.c.owner == owner)
        of_runs = (
            select(runs, feedback.c.score, feedback.c.comment)
            .join(feedback, and_(feedback.c.run_id == runs.c.run_id, feedback.c.owner == owner), isouter=True)
            .where(runs.c.thread_id == thread_id, runs.c.owner == owner)
            .order_by(runs.c.created_at)
        )

        def query(connection: Connection) -> tuple[Row[Any] | None, Sequence[RowMapping]]:
            return connection.execute(of_thread).first(), connection.execute(of_runs).mappings().all()

        row, found = await self._database.read(query)
        if row is None:
            raise NotFoundError(f"There is no thread {thread_id!r}.", thread_id=thread_id)
        return ThreadRow(row.thread_id, row.title, row.created_at, row.updated_at), [_turn_row(row) for row in found]

    async def delete_thread(self, owner: str, thread_id: str) -> None:
        """Remove a thread with its runs and events.

        Raises:
            NotFoundError: this owner has no such thread.
        """
        query = delete(threads).where(threads.c.thread_id == thread_id, threads.c.owner == owner)
        if not await self._database.write(lambda connection: connection.execute(query).rowcount):
            raise NotFoundError(f"There is no thread {thread_id!r}.", thread_id=thread_id)

    async def close_unfinished(self) -> int:
        """End what an earlier process left unfinished with an error and a terminal event; returns how many runs."""
        return await self._database.write(_close_unfinished)


def _create(connection: Connection, run: NewRun) -> None:
    now = time.time()
    title = " ".join(run.message.split())[:_TITLE_CHARS]
    thread = {"thread_id": run.thread_id, "owner": run.owner, "title": title, "created_at": now, "updated_at": now}
    upsert = sqlite_insert(threads).on_conflict_do_update(
        index_elements=["thread_id"], set_={"updated_at": now}, where=threads.c.owner == run.owner
    )
    if not connection.execute(upsert, thread).rowcount:
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
    connection.execute(insert(runs), row)


def _close_unfinished(connection: Connection) -> int:
    query = select(runs).where(runs.c.status.in_(_UNFINISHED))
    unfinished = [_new_run(row) for row in connection.execute(query).mappings()]
    for run in unfinished:
        _finish(connection, run, _aborted(run), Outcome("error", None, SERVER_STOPPED, None, 0))
    return len(unfinished)


def _finish(connection: Connection, run: NewRun, log: Sequence[RunEvent], outcome: Outcome) -> None:
    rows = [{"run_id": run.run_id, "seq": event.seq, "name": event.name, "data": event.data} for event in log]
    connection.execute(sqlite_insert(events).on_conflict_do_nothing(), rows)
    values = {
        "status": outcome.status,
        "result": None if outcome.result is None else dict(outcome.result),
        "error_code": outcome.error_code,
        "finished_at": time.time(),
    }
    connection.execute(update(runs).where(runs.c.run_id == run.run_id).values(values))
    connection.execute(sqlite_insert(query_log).on_conflict_do_nothing(), [_log_line(run, outcome)])


def _aborted(run: NewRun) -> list[RunEvent]:
    ids = {"run_id": run.run_id, "thread_id": run.thread_id}
    message = "The server stopped during this run. Your message is kept; ask again."
    error = {"code": SERVER_STOPPED, "message": message, "trace_id": run.trace_id}
    told: list[tuple[str, dict[str, str]]] = [("run", ids), ("error", error), (TERMINAL, {})]
    return [RunEvent(run.run_id, seq, name, orjson.dumps(data).decode()) for seq, (name, data) in enumerate(told, 1)]


def _new_run(row: RowMapping) -> NewRun:
    return NewRun(row["run_id"], row["thread_id"], row["owner"], row["message"], row["input"], row["trace_id"])


def _turn_row(row: RowMapping) -> TurnRow:
    verdict = None if row["score"] is None else Verdict(row["score"], row["comment"])
    return TurnRow(_run_row(row), row["input"].get("document_ids", []), verdict)


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
