"""Rows of reviews, as the rest of the server sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agent.results import Label
from tools.errors import SwitchyardError

ReviewStatus = Literal["pending", "escalated", "decided"]
OPEN: tuple[ReviewStatus, ...] = ("pending", "escalated")
TIMEOUT = "timeout"
"""Who escalates what nobody decided in time."""


class ReviewConflictError(SwitchyardError):
    """The review has been decided, or escalated, already (HTTP 409)."""

    code = "review_decided"


@dataclass(frozen=True)
class ReviewRow:
    """A stored review. `message` and `result` are those of the run that waits; times are seconds since 1970.

    `decision_run_id` is the run that brought the decision to the thread, at `answered_at`.
    """

    run_id: str
    thread_id: str
    owner: str
    status: ReviewStatus
    message: str
    result: Mapping[str, Any]
    created_at: float
    escalated_at: float | None
    escalated_by: str | None
    escalation_comment: str | None
    decision: Literal["approve", "reject"] | None
    label: Label | None
    comment: str | None
    reviewer: str | None
    decided_at: float | None
    decision_run_id: str | None
    answered_at: float | None

    @property
    def request(self) -> Mapping[str, Any]:
        """What is asked: a `ReviewRequest` as JSON."""
        return self.result["interrupt"]
