"""Which run of a thread works: one at a time, in the order they came, decided in the database.

A run comes in as `running` where its thread is free and as `pending` where it is not; when one ends, the oldest that
waits is next. The unique index `uq_runs_thread_running` holds whatever else a second process may think.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, Update, bindparam, case, exists, insert, select, update
from sqlalchemy.dialects import sqlite

from server.db.dialects import insert_in, written
from server.db.tables import events, runs, threads
from server.runs.events import first_event
from server.runs.leases import lease
from server.runs.requests import known_run, remember
from server.runs.rows import UNFINISHED, NewRun
from tools.errors import NotFoundError, SwitchyardError

_TITLE_CHARS = 80
_OF_THREAD = runs.c.thread_id == bindparam("of_thread")
_UNFINISHED_RUNS = (
    select(runs.c.run_id).where(_OF_THREAD, runs.c.status.in_(UNFINISHED)).order_by(runs.c.created_at, runs.c.run_id)
)
_NEW_RUN = insert(runs)
_NEW_EVENT = insert(events)


class ThreadBusyError(SwitchyardError):
    """The thread has a run that is not finished, and the new one would not wait (HTTP 409)."""

    code = "thread_busy"


@dataclass(frozen=True)
class Admission:
    """Whether a new run may work at once, and the unfinished runs of its thread, the oldest first.

    `earlier` is the run (id and thread) that the same request has started before; then nothing new is written.
    """

    working: bool
    unfinished: tuple[str, ...]
    earlier: tuple[str, str] | None = None


def admit(connection: Connection, holder: str, run: NewRun) -> Admission:
    """Write a run down with its first event and its holder's lease, and its thread if that is new.

    Raises:
        NotFoundError: the thread belongs to somebody else.
        ThreadBusyError: the run's strategy is `reject` and the thread is at work.
        KeyReusedError: the request's key was given to another request.
    """
    now = time.time()
    key = run.request_key
    # Taken before anything else, so that of two requests with one key the second waits here for the first.
    if key is not None and not remember(connection, run, key, now):
        return Admission(False, (), known_run(connection, run.owner, key))
    # Locks the thread's row, so that two runs cannot both find the thread free.
    _open_thread(connection, run, now)
    unfinished = tuple(connection.execute(_UNFINISHED_RUNS, {"of_thread": run.thread_id}).scalars())
    if unfinished and run.strategy == "reject":
        raise ThreadBusyError(
            "The thread is working on an earlier message. Wait for it to end, or choose another strategy.",
            thread_id=run.thread_id,
        )
    row = {
        "run_id": run.run_id,
        "thread_id": run.thread_id,
        "owner": run.owner,
        "status": "pending" if unfinished else "running",
        "message": run.message,
        "input": dict(run.input),
        "trace_id": run.trace_id,
        "strategy": run.strategy,
        "metadata": dict(run.metadata),
        "key_id": run.key_id,
        "created_at": now,
        "plan": None if run.plan is None else dict(run.plan),
        **lease(holder),
    }
    connection.execute(_NEW_RUN, row)
    first = first_event(run.run_id, run.thread_id)
    connection.execute(_NEW_EVENT, {"run_id": first.run_id, "seq": first.seq, "name": first.name, "data": first.data})
    return Admission(not unfinished, unfinished)


def promote(connection: Connection, thread_id: str) -> str | None:
    """Let the oldest waiting run of a thread work, if none does; returns its id."""
    return connection.execute(_PROMOTION, {"of_thread": thread_id}).scalar()


def _promotion() -> Update:
    oldest = select(runs.c.run_id).where(_OF_THREAD, runs.c.status == "pending")
    oldest = oldest.order_by(runs.c.created_at, runs.c.run_id).limit(1)
    working = runs.alias()
    free = ~exists().where(working.c.thread_id == bindparam("of_thread"), working.c.status == "running")
    return update(runs).where(runs.c.run_id == oldest.scalar_subquery(), free).values(status="running")


_PROMOTION = _promotion().returning(runs.c.run_id)


def _open_thread(connection: Connection, run: NewRun, now: float) -> None:
    title = " ".join(run.message.split())[:_TITLE_CHARS]
    thread = {
        "thread_id": run.thread_id,
        "owner": run.owner,
        "title": title,
        "status": "busy",
        "metadata": dict(run.metadata),
        "temporary": run.temporary,
        "created_at": now,
        "updated_at": now,
    }
    if not written(connection, _opening(connection.dialect.name), thread):
        raise NotFoundError(f"There is no thread {run.thread_id!r}.", thread_id=run.thread_id)


@cache
def _opening(dialect: str) -> sqlite.Insert:
    """Makes a thread, or sets one to work that belongs to the same owner."""
    fresh = insert_in(dialect, threads)
    return fresh.on_conflict_do_update(
        index_elements=["thread_id"],
        set_={
            "updated_at": fresh.excluded.updated_at,
            "status": fresh.excluded.status,
            # A thread that a LangGraph client opened has no title before its first message.
            "title": case((threads.c.title == "", fresh.excluded.title), else_=threads.c.title),
        },
        where=threads.c.owner == fresh.excluded.owner,
    )
