"""Who works on which run: a lease that its holder renews, and that others take over when it is not renewed.

Whatever is written of a run is written under its lease, in the same transaction: a process that was paused for longer
than its lease lasts finds that the run is another's and leaves it alone.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, bindparam, case, or_, select, update

from server.db.tables import runs
from server.runs.rows import UNFINISHED, NewRun, RunStatus
from tools.errors import SwitchyardError

LEASE_S = 30.0
HEARTBEAT_S = 10.0
MAX_ATTEMPTS = 3

_HELD_BY = and_(runs.c.lease_owner == bindparam("holder"), runs.c.status.in_(UNFINISHED))
_OF_RUNS = runs.c.run_id.in_(bindparam("run_ids", expanding=True))
_HELD = select(runs.c.run_id).where(_HELD_BY, _OF_RUNS).with_for_update()
_RENEWAL = update(runs).where(_HELD_BY, _OF_RUNS).returning(runs.c.run_id, runs.c.status)


class LeaseLostError(SwitchyardError):
    """Another process works on the run now, or the run is no more; what was to be written is not."""

    code = "lease_lost"


@dataclass(frozen=True)
class ClaimedRun:
    """An unfinished run that this process has taken over. `attempt` counts from 1 how often it began to work."""

    row: NewRun
    status: RunStatus
    attempt: int


def lease(holder: str) -> dict[str, Any]:
    """The columns of a fresh lease."""
    return {"lease_owner": holder, "lease_until": time.time() + LEASE_S}


def held(connection: Connection, holder: str, run_ids: Collection[str]) -> set[str]:
    """Which of these runs the holder may write to; nobody else can take them before this transaction ends."""
    return set(connection.execute(_HELD, {"holder": holder, "run_ids": list(run_ids)}).scalars())


def require_lease(connection: Connection, holder: str, run_id: str) -> None:
    """Make sure that the holder may write to a run.

    Raises:
        LeaseLostError: it may not.
    """
    if not held(connection, holder, [run_id]):
        raise LeaseLostError(f"The run {run_id!r} is not ours to write to.", run_id=run_id)


def renew(connection: Connection, holder: str, run_ids: Collection[str]) -> dict[str, RunStatus]:
    """Keep the leases of these runs; returns the runs that the holder still has, with their status."""
    renewed = connection.execute(_RENEWAL, {"holder": holder, "run_ids": list(run_ids), **lease(holder)})
    return {row.run_id: row.status for row in renewed}


def claim(
    connection: Connection, holder: str, *, everything: bool, own: bool = False, ours: Collection[str] = ()
) -> Sequence[ClaimedRun]:
    """Take over the unfinished runs whose lease has run out, the oldest first.

    `everything` takes those with a lease as well, and `own` those with a lease of this very holder: whoever held it is
    known to be gone. The runs in `ours` stay as they are: this process works on them. Taking a run over that was at
    work counts as one more attempt.
    """
    query = update(runs).where(runs.c.status.in_(UNFINISHED), runs.c.run_id.not_in(ours))
    if not everything:
        free = or_(runs.c.lease_until.is_(None), runs.c.lease_until < time.time())
        query = query.where(or_(free, runs.c.lease_owner == holder) if own else free)
    attempt = runs.c.attempt + case((runs.c.status == "running", 1), else_=0)
    query = query.values(attempt=attempt, **lease(holder)).returning(runs)
    rows = connection.execute(query).mappings().all()
    return [_claimed(row) for row in sorted(rows, key=lambda row: (row["created_at"], row["run_id"]))]


def _claimed(row: RowMapping) -> ClaimedRun:
    plan: dict[str, Any] = row["plan"] or {}
    run = NewRun(
        row["run_id"],
        row["thread_id"],
        row["owner"],
        row["message"],
        row["input"],
        row["trace_id"],
        strategy=row["strategy"],
        metadata=row["metadata"],
        temporary=bool(plan.get("temporary")),
        plan=row["plan"],
        key_id=row["key_id"],
    )
    return ClaimedRun(run, row["status"], row["attempt"])
