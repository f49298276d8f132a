"""How a run ends in the database: events, outcome, its rows in both logs, and who is next; all or nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, select, update

from server.access.budgets import count_usage
from server.audit.decisions import run_entry, taken_back_entry
from server.audit.entry import AuditEntry
from server.audit.trail import AuditTrail
from server.db.dialects import insert_if_new, lock
from server.db.tables import events, query_log, reviews, runs, threads
from server.reviews.rows import OPEN, ReviewConflictError
from server.reviews.writes import close_answered, open_review
from server.runs.admission import promote
from server.runs.events import RunEvent
from server.runs.leases import held, require_lease
from server.runs.rows import UNFINISHED, NewRun, Outcome, ThreadStatus
from tools.errors import NotFoundError
from tools.ports import Usage

_NO_LEASE = {"lease_owner": None, "lease_until": None}
_THREAD = select(threads.c.thread_id).where(threads.c.thread_id == bindparam("of_thread"))
_END = update(runs).where(runs.c.run_id == bindparam("of_run"))
_REST = update(threads).where(
    threads.c.thread_id == bindparam("of_thread"),
    ~exists().where(runs.c.thread_id == bindparam("of_thread"), runs.c.status.in_(UNFINISHED)),
)


def append_events(connection: Connection, holder: str, log: Sequence[RunEvent]) -> set[str]:
    """Write events of runs that go on; returns those that the holder has no lease on, of which nothing is written."""
    run_ids = {event.run_id for event in log}
    ours = held(connection, holder, run_ids)
    _write_events(connection, [event for event in log if event.run_id in ours])
    return run_ids - ours


def finish(
    connection: Connection, holder: str, audit: AuditTrail, run: NewRun, log: Sequence[RunEvent], outcome: Outcome
) -> str | None:
    """Write how a run ended, with its last events; returns the id of the run that the thread works on from now.

    Raises:
        LeaseLostError: another process works on the run, or has ended it.
    """
    _lock_thread(connection, run)
    require_lease(connection, holder, run.run_id)
    audit.append(connection, run_entry(audit.key, run, outcome))
    connection.execute(insert_if_new(connection, query_log), [_log_line(run, outcome)])
    pay(connection, run, outcome.spent)
    _write_events(connection, log)
    values = {
        "of_run": run.run_id,
        "status": outcome.status,
        "result": None if outcome.result is None else dict(outcome.result),
        "error_code": outcome.error_code,
        "finished_at": time.time(),
        "plan": None,
        **_NO_LEASE,
    }
    connection.execute(_END, values)
    open_review(connection, audit, run, outcome)
    close_answered(connection, audit, run, outcome)
    return _leave(connection, run, _thread_status(outcome))


def take_back(connection: Connection, holder: str, audit: AuditTrail, run: NewRun, spent: Usage) -> str | None:
    """Remove a run as if it had never been, but for the audit log and its cost.

    Returns the id of the thread's next run.

    Raises:
        LeaseLostError: another process works on the run, or has ended it.
    """
    _lock_thread(connection, run)
    require_lease(connection, holder, run.run_id)
    audit.append(connection, taken_back_entry(audit.key, run))
    pay(connection, run, spent)
    connection.execute(delete(runs).where(runs.c.run_id == run.run_id))
    return _leave(connection, run, "idle")


def pay(connection: Connection, run: NewRun, spent: Usage) -> None:
    """Add what a run has cost to what its key has spent."""
    if run.key_id is not None:
        count_usage(connection, run.key_id, spent)


def delete_run(connection: Connection, audit: AuditTrail, owner: str, run_id: str) -> None:
    """Remove a run of an owner with its events; if its thread worked on it, the next one is called.

    Raises:
        NotFoundError: this owner has no such run.
        ReviewConflictError: its review waits for a decision.
    """
    of_run = runs.c.run_id == run_id, runs.c.owner == owner
    thread_id = connection.execute(select(runs.c.thread_id).where(*of_run)).scalar()
    if thread_id is None:
        raise NotFoundError(f"There is no run {run_id!r}.", run_id=run_id)
    lock(connection, _THREAD, {"of_thread": thread_id})
    waits = select(reviews.c.run_id).where(reviews.c.run_id == run_id, reviews.c.status.in_(OPEN))
    if connection.execute(waits).first() is not None:
        raise ReviewConflictError(
            "A person has yet to decide on this run's score. Decide first, or delete the whole conversation.",
            run_id=run_id,
        )
    audit.append(connection, AuditEntry("run_deleted", owner, subject=run_id, outcome="deleted"))
    connection.execute(delete(runs).where(*of_run))
    promote(connection, thread_id)


def _lock_thread(connection: Connection, run: NewRun) -> None:
    """Let a run that comes in meanwhile wait for this end: it would find the thread at work, and nobody promote it."""
    lock(connection, _THREAD, {"of_thread": run.thread_id})


def _write_events(connection: Connection, log: Sequence[RunEvent]) -> None:
    """Write events; those that are there already, because their journal had got to them, are the same."""
    rows = [{"run_id": event.run_id, "seq": event.seq, "name": event.name, "data": event.data} for event in log]
    if rows:
        connection.execute(insert_if_new(connection, events), rows)


def _leave(connection: Connection, run: NewRun, status: ThreadStatus) -> str | None:
    following = promote(connection, run.thread_id)
    connection.execute(_REST, {"of_thread": run.thread_id, "status": status, "updated_at": time.time()})
    return following


def _thread_status(outcome: Outcome) -> ThreadStatus:
    if outcome.status == "error":
        return "error"
    return "interrupted" if outcome.paused else "idle"


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
