"""Which run of a thread works: one at a time, in the order they came, decided in the database.

A run comes in as `running` where its thread is free and as `pending` where it is not; when one ends, the oldest that
waits is next. The unique index `uq_runs_thread_running` holds whatever else a second process may think.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection, case, exists, insert, null, select, update

from server.db.dialects import insert_into, written
from server.db.tables import events, runs, threads
from server.runs.events import first_event
from server.runs.leases import lease
from server.runs.requests import known_run, remember
from server.runs.rows import UNFINISHED, NewRun
from tools.errors import NotFoundError, SwitchyardError

_TITLE_CHARS = 80


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
    waiting = select(runs.c.run_id).where(runs.c.thread_id == run.thread_id, runs.c.status.in_(UNFINISHED))
    unfinished = tuple(connection.execute(waiting.order_by(runs.c.created_at, runs.c.run_id)).scalars())
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
        "plan": null() if run.plan is None else dict(run.plan),
        **lease(holder),
    }
    connection.execute(insert(runs).values(row))
    first = first_event(run.run_id, run.thread_id)
    connection.execute(insert(events).values(run_id=first.run_id, seq=first.seq, name=first.name, data=first.data))
    return Admission(not unfinished, unfinished)


def promote(connection: Connection, thread_id: str) -> str | None:
    """Let the oldest waiting run of a thread work, if none does; returns its id."""
    of_thread = runs.c.thread_id == thread_id
    oldest = select(runs.c.run_id).where(of_thread, runs.c.status == "pending")
    oldest = oldest.order_by(runs.c.created_at, runs.c.run_id).limit(1)
    working = runs.alias()
    free = ~exists().where(working.c.thread_id == thread_id, working.c.status == "running")
    query = update(runs).where(runs.c.run_id == oldest.scalar_subquery(), free).values(status="running")
    return connection.execute(query.returning(runs.c.run_id)).scalar()


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
    fresh = insert_into(connection, threads)
    upsert = fresh.on_conflict_do_update(
        index_elements=["thread_id"],
        set_={
            "updated_at": now,
            "status": "busy",
            # A thread that a LangGraph client opened has no title before its first message.
            "title": case((threads.c.title == "", fresh.excluded.title), else_=threads.c.title),
        },
        where=threads.c.owner == run.owner,
    )
    if not written(connection, upsert, thread):
        raise NotFoundError(f"There is no thread {run.thread_id!r}.", thread_id=run.thread_id)
