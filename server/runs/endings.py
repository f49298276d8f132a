"""How a run ends in the database: events, outcome, a line in the query log, and who is next; all or nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, delete, exists, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from server.db.tables import events, query_log, runs, threads
from server.runs.admission import promote
from server.runs.events import TERMINAL, RunEvent
from server.runs.rows import UNFINISHED, NewRun, Outcome, ThreadStatus

SERVER_STOPPED = "server_stopped"


def finish(connection: Connection, run: NewRun, log: Sequence[RunEvent], outcome: Outcome) -> str | None:
    """Write how a run ended; returns the id of the run that the thread works on from now."""
    connection.execute(sqlite_insert(query_log).on_conflict_do_nothing(), [_log_line(run, outcome)])
    if run.temporary:
        connection.execute(delete(threads).where(threads.c.thread_id == run.thread_id))
        return None
    rows = [{"run_id": run.run_id, "seq": event.seq, "name": event.name, "data": event.data} for event in log]
    connection.execute(sqlite_insert(events).on_conflict_do_nothing(), rows)
    values = {
        "status": outcome.status,
        "result": None if outcome.result is None else dict(outcome.result),
        "error_code": outcome.error_code,
        "finished_at": time.time(),
    }
    connection.execute(update(runs).where(runs.c.run_id == run.run_id).values(values))
    return _leave(connection, run, _thread_status(outcome))


def take_back(connection: Connection, run: NewRun) -> str | None:
    """Remove a run as if it had never been; returns the id of the run that the thread works on from now."""
    connection.execute(delete(runs).where(runs.c.run_id == run.run_id))
    return _leave(connection, run, "idle")


def close_unfinished(connection: Connection) -> int:
    """End what an earlier process left unfinished with an error and a terminal event; returns how many runs."""
    query = select(runs).where(runs.c.status.in_(UNFINISHED)).order_by(runs.c.created_at.desc())
    unfinished = [_new_run(row) for row in connection.execute(query).mappings()]
    # The newest first: the end of one would let the next one work.
    for run in unfinished:
        finish(connection, run, _aborted(run), Outcome("error", None, SERVER_STOPPED, None, 0))
    connection.execute(delete(threads).where(threads.c.temporary))
    return len(unfinished)


def _leave(connection: Connection, run: NewRun, status: ThreadStatus) -> str | None:
    following = promote(connection, run.thread_id)
    others = exists().where(runs.c.thread_id == run.thread_id, runs.c.status.in_(UNFINISHED))
    of_thread = threads.c.thread_id == run.thread_id
    connection.execute(update(threads).where(of_thread, ~others).values(status=status, updated_at=time.time()))
    return following


def _thread_status(outcome: Outcome) -> ThreadStatus:
    if outcome.status == "error":
        return "error"
    return "interrupted" if outcome.paused else "idle"


def _aborted(run: NewRun) -> list[RunEvent]:
    ids = {"run_id": run.run_id, "thread_id": run.thread_id}
    message = "The server stopped during this run. Your message is kept; ask again."
    error = {"code": SERVER_STOPPED, "message": message, "trace_id": run.trace_id}
    told: list[tuple[str, dict[str, str]]] = [("run", ids), ("error", error), (TERMINAL, {})]
    return [RunEvent(run.run_id, seq, name, orjson.dumps(data).decode()) for seq, (name, data) in enumerate(told, 1)]


def _new_run(row: RowMapping) -> NewRun:
    return NewRun(row["run_id"], row["thread_id"], row["owner"], row["message"], row["input"], row["trace_id"])


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
