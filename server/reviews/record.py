"""What has happened to a review: its history for the API, and the entries that an audit log keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from server.audit.entry import AuditEntry, AuditKind
from server.reviews.rows import ReviewRow

Action = Literal["asked", "escalated", "decided", "answered"]
_KINDS: Mapping[Action, AuditKind] = {
    "asked": "review_asked",
    "escalated": "review_escalated",
    "decided": "review_decision",
    "answered": "review_answered",
}


@dataclass(frozen=True)
class ReviewStep:
    """One step. `at` is in seconds since 1970; `by` is a person, `graph` or `timeout`."""

    action: Action
    at: float
    by: str
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


def steps(row: ReviewRow) -> list[ReviewStep]:
    """All steps of a review so far, oldest first. The last one is what the latest write has added."""
    model = {name: row.request[name] for name in ("label", "probability", "risk_score", "reasons")}
    found = [ReviewStep("asked", row.created_at, "graph", model)]
    if row.escalated_at is not None:
        comment = {"comment": row.escalation_comment}
        found.append(ReviewStep("escalated", row.escalated_at, row.escalated_by or "", comment))
    if row.decided_at is not None:
        decided = {"decision": row.decision, "label": row.label, "model_label": row.request["label"]}
        found.append(ReviewStep("decided", row.decided_at, row.reviewer or "", {**decided, "comment": row.comment}))
    if row.answered_at is not None:
        found.append(ReviewStep("answered", row.answered_at, "graph", {"decision_run_id": row.decision_run_id}))
    return found


def audit_entry(row: ReviewRow) -> AuditEntry:
    """What the audit log keeps of the latest step. A comment stays with the review: it may name people."""
    step = steps(row)[-1]
    override: dict[str, Any] | None = None
    if row.decision is not None:
        override = {"decision": row.decision, "label": row.label, "by": row.reviewer}
    return AuditEntry(
        _KINDS[step.action],
        row.owner,
        run_id=row.run_id,
        outcome=row.label or row.request["label"],
        score=row.request["probability"],
        reasons=row.request["reasons"],
        human_override=override,
        details={"by": step.by, **({"decision_run_id": row.decision_run_id} if row.decision_run_id else {})},
    )
