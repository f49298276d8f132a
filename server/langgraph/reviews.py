"""A client that resumes a thread's review decides it, as `POST /api/v1/reviews/{run_id}` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from langgraph.types import Interrupt
from pydantic import ValidationError

from server.access.callers import Caller
from server.application import Application
from server.reviews.bodies import DecisionBody
from server.reviews.desk import spoken
from server.reviews.resume import asked
from server.reviews.rows import ReviewRow
from server.runs.live import RunRequest
from tools.errors import InputError


async def decided(
    app: Application, caller: Caller, request: RunRequest, interrupts: Sequence[Interrupt], resume: Any
) -> RunRequest:
    """The run as the one that carries the decision that it resumes with, which is written down here.

    What resumes something else than a review stays as it is.

    Raises:
        MissingScopeError: the caller may chat, but not decide.
        InputError: what it resumes with is no final decision.
        ReviewConflictError: the review was decided before.
    """
    found = await _review(app, request, interrupts)
    if found is None:
        return request
    caller.require("review")
    row, interrupt = found
    answer = _decision(resume, interrupt.id).answer(request.owner)
    row = await app.reviews.store.decide(request.owner, row.run_id, answer)
    return replace(request, message=spoken(row), review_of=row.run_id)


async def _review(
    app: Application, request: RunRequest, interrupts: Sequence[Interrupt]
) -> tuple[ReviewRow, Interrupt] | None:
    for interrupt in interrupts:
        request_id = asked(interrupt.value)
        if request_id is not None and request.thread_id is not None:
            row = await app.reviews.store.asked_on(request.owner, request.thread_id, request_id)
            if row is not None:
                return row, interrupt
    return None


def _decision(resume: Any, interrupt_id: str) -> DecisionBody:
    # Clients may name the interrupt that they answer.
    named = cast("dict[str, Any]", resume) if isinstance(resume, dict) else {}
    given = named.get(interrupt_id, resume)
    try:
        body = DecisionBody.model_validate(given)
    except ValidationError:
        body = None
    if body is None or body.decision == "escalate":
        raise InputError(
            'This thread waits for a review: resume it with {"decision": "approve" or "reject", "comment": ...}. '
            "To escalate, use /api/v1/reviews.",
            code="invalid_decision",
            param="command",
        )
    return body
