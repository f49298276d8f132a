"""What is written of a review, each inside a transaction of its caller."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from agent.review import ReviewAnswer, final_label
from server.audit.trail import AuditTrail
from server.db.tables import reviews, runs
from server.reviews.record import audit_entry
from server.reviews.rows import OPEN, TIMEOUT, ReviewConflictError, ReviewRow
from server.runs.rows import REVIEW_OF, NewRun, Outcome
from tools.errors import NotFoundError


def open_review(connection: Connection, audit: AuditTrail, run: NewRun, outcome: Outcome) -> None:
    """Put a run into the queue that has ended with a question to a person."""
    asked = (outcome.result or {}).get("interrupt")
    if outcome.status != "success" or asked is None:
        return
    row = {
        "run_id": run.run_id,
        "thread_id": run.thread_id,
        "owner": run.owner,
        "status": "pending",
        "request_id": asked["id"],
        "created_at": time.time(),
    }
    connection.execute(insert(reviews), row)
    _written(connection, audit, run.owner, run.run_id)


def decide(connection: Connection, audit: AuditTrail, owner: str, run_id: str, answer: ReviewAnswer) -> ReviewRow:
    """Write a final decision, once.

    Raises:
        NotFoundError: this owner has no such review.
        ReviewConflictError: it was decided before.
        InputError: the label contradicts the decision.
    """
    row = find_review(connection, owner, run_id)
    if row.status not in OPEN:
        raise _conflict(row)
    values = {
        "status": "decided",
        "decision": answer.decision,
        "label": final_label(row.request["label"], answer.decision, answer.label),
        "comment": answer.comment,
        "reviewer": answer.reviewer,
        "decided_at": answer.decided_at,
    }
    query = update(reviews).where(reviews.c.run_id == run_id, reviews.c.owner == owner, reviews.c.status.in_(OPEN))
    if not connection.execute(query.values(values)).rowcount:
        # Another process was faster.
        raise _conflict(find_review(connection, owner, run_id))
    return _written(connection, audit, owner, run_id)


def escalate(
    connection: Connection, audit: AuditTrail, owner: str, run_id: str, by: str, comment: str | None
) -> ReviewRow:
    """Hand a review on: it stays open, and shows that somebody else should look.

    Raises:
        NotFoundError: this owner has no such review.
        ReviewConflictError: it was decided or escalated before.
    """
    row = find_review(connection, owner, run_id)
    values = {"status": "escalated", "escalated_at": time.time(), "escalated_by": by, "escalation_comment": comment}
    query = update(reviews).where(reviews.c.run_id == run_id, reviews.c.owner == owner, reviews.c.status == "pending")
    if not connection.execute(query.values(values)).rowcount:
        raise _conflict(row)
    return _written(connection, audit, owner, run_id)


def escalate_overdue(connection: Connection, audit: AuditTrail, asked_before: float, now: float) -> Sequence[ReviewRow]:
    """Escalate all reviews that have been waiting since before a moment; returns them."""
    query = update(reviews).where(reviews.c.status == "pending", reviews.c.created_at <= asked_before)
    query = query.values(status="escalated", escalated_at=now, escalated_by=TIMEOUT)
    overdue = connection.execute(query.returning(reviews.c.owner, reviews.c.run_id)).all()
    return [_written(connection, audit, row.owner, row.run_id) for row in overdue]


def close_answered(connection: Connection, audit: AuditTrail, run: NewRun, outcome: Outcome) -> None:
    """Note that a run has carried a review's decision to its thread, if it has."""
    run_id = run.input.get(REVIEW_OF)
    if run_id is None or not (outcome.result or {}).get("review"):
        return
    query = update(reviews).where(reviews.c.run_id == run_id, reviews.c.owner == run.owner)
    query = query.where(reviews.c.status == "decided", reviews.c.decision_run_id.is_(None))
    if connection.execute(query.values(decision_run_id=run.run_id, answered_at=time.time())).rowcount:
        _written(connection, audit, run.owner, run_id)


def find_review(connection: Connection, owner: str, run_id: str) -> ReviewRow:
    """A review.

    Raises:
        NotFoundError: this owner has no such review.
    """
    query = with_runs().where(reviews.c.run_id == run_id, reviews.c.owner == owner)
    found = connection.execute(query).mappings().first()
    if found is None:
        raise NotFoundError(f"There is no review of a run {run_id!r}.", run_id=run_id)
    return review_row(found)


def with_runs() -> Select[Any]:
    """Reviews with what their rows need of the runs that wait."""
    return select(reviews, runs.c.message, runs.c.result).join(runs, runs.c.run_id == reviews.c.run_id)


def review_row(found: Mapping[Any, Any]) -> ReviewRow:
    """A row of `with_runs`."""
    return ReviewRow(**{field.name: found[field.name] for field in fields(ReviewRow)})


def _written(connection: Connection, audit: AuditTrail, owner: str, run_id: str) -> ReviewRow:
    """A review after a step: every step of every review passes here, inside the transaction that writes it."""
    row = find_review(connection, owner, run_id)
    audit.append(connection, audit_entry(row))
    return row


def _conflict(row: ReviewRow) -> ReviewConflictError:
    if row.status == "decided":
        message = f"This review was decided before: {row.label}. A decision stands."
        return ReviewConflictError(message, decision=row.decision, label=row.label)
    return ReviewConflictError("This review was escalated before. Approve or reject it.", code="review_escalated")
