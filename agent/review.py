"""Human review of a fraud score: what a person is asked, and what their answer means."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.results import FraudResult, Label, ReviewOutcome, ReviewRequest
from tools.errors import InputError

WAITING = "This score does not count yet: a person decides. The decision will be added to this conversation."

_OPPOSITE: dict[Label, Label] = {"FRAUD": "LEGITIMATE", "LEGITIMATE": "FRAUD"}
_REASONS = {
    "borderline": "the probability is borderline",
    "contradicted": "the model and the red flags disagree",
    "unreadable": "the model named no label clearly",
}


class ReviewAnswer(BaseModel):
    """A person's final answer. Without `label`, rejecting means the label that the model did not give."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decision: Literal["approve", "reject"]
    label: Label | None = None
    comment: str | None = None
    reviewer: str | None = None
    decided_at: float | None = None


def review_request(fraud: FraudResult, reasons: Sequence[str], transaction: str) -> ReviewRequest:
    """What a person is asked about a score; `transaction` is what was scored, in words."""
    why = " and ".join(_REASONS[reason] for reason in reasons)
    return ReviewRequest(
        id=uuid.uuid4().hex,
        question=(
            f"Is this transaction fraud? The model says {fraud.label} (risk score {fraud.risk_score} of 100), "
            f"but {why}. Approve {fraud.label}, reject it, or escalate."
        ),
        reasons=list(reasons),
        label=fraud.label,
        probability=fraud.probability,
        risk_score=fraud.risk_score,
        red_flags=fraud.red_flags,
        transaction=transaction,
        decisions=["approve", "reject", "escalate"],
    )


def final_label(model_label: Label, decision: Literal["approve", "reject"], label: Label | None) -> Label:
    """The label that counts after a decision.

    Raises:
        InputError: the label that was sent along contradicts the decision.
    """
    meant = model_label if decision == "approve" else _OPPOSITE[model_label]
    if label not in (None, meant):
        raise InputError(
            f"To {decision} {model_label} means {meant}, but the label sent is {label}. "
            "Leave `label` out, or choose the other decision.",
            code="label_mismatch",
            param="label",
        )
    return meant


def read_answer(value: Any, model_label: Label) -> ReviewAnswer | None:
    """The answer in what a client resumed with; None where it is none that ends a review."""
    try:
        answer = ReviewAnswer.model_validate(value)
        final_label(model_label, answer.decision, answer.label)
    except (ValidationError, InputError):
        return None
    return answer


def review_outcome(request: ReviewRequest, answer: ReviewAnswer) -> ReviewOutcome:
    """What an answer comes to."""
    label = final_label(request.label, answer.decision, answer.label)
    return ReviewOutcome(
        decision=answer.decision,
        label=label,
        overridden=label != request.label,
        comment=answer.comment,
        reviewer=answer.reviewer,
        decided_at=answer.decided_at,
    )


def final_answer(request: ReviewRequest, outcome: ReviewOutcome) -> str:
    """The sentence that ends a reviewed turn."""
    score = f"risk score {request.risk_score} of 100"
    if outcome.overridden:
        return f"A person reviewed this transaction: {outcome.label}. The model had said {request.label} ({score})."
    return f"A person reviewed this transaction and agrees with the model: {outcome.label} ({score})."
