"""Reviews: the queue of fraud scores that wait for a person, and deciding them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from agent.results import FraudResult, ReviewOutcome, ReviewRequest
from agent.review import review_outcome
from server.access.rules import needs
from server.dependencies import App, Owner
from server.reviews.bodies import DecisionBody
from server.reviews.record import Action, steps
from server.reviews.resume import review_answer
from server.reviews.rows import OPEN, ReviewRow, ReviewStatus

router = APIRouter(prefix="/reviews", tags=["reviews"], dependencies=[needs("review")])

_ANSWER_WAIT_S = 5.0
_LISTED_CHARS = 500

Wanted = Literal["open", "pending", "escalated", "decided", "all"]
_STATUSES: dict[Wanted, tuple[ReviewStatus, ...]] = {
    "open": OPEN,
    "pending": ("pending",),
    "escalated": ("escalated",),
    "decided": ("decided",),
    "all": (*OPEN, "decided"),
}


class StepView(BaseModel):
    """Something that happened to a review."""

    action: Action
    at: float = Field(description="Seconds since 1970.")
    by: str = Field(description="Who did it: a person, `graph` or `timeout`.")
    details: dict[str, Any]


class ReviewView(BaseModel):
    """A fraud score that a person decides on. Times are seconds since 1970."""

    run_id: str = Field(description="The run that waits; names the review.")
    thread_id: str
    status: ReviewStatus = Field(
        description="`pending`; `escalated` by a person or because nobody decided in time; or `decided`."
    )
    message: str = Field(description="What the user had sent; in lists its first 500 characters.")
    request: ReviewRequest
    fraud: FraudResult = Field(description="The model's score, which no decision changes.")
    created_at: float
    due_at: float = Field(description="When it is escalated, if nobody decides before.")
    outcome: ReviewOutcome | None = Field(description="The decision, once there is one.")
    decision_run_id: str | None = Field(description="The run that brought the decision to the thread.")
    history: list[StepView] = Field(description="Everything that has happened, oldest first.")


class ReviewList(BaseModel):
    """A page of reviews, the oldest first."""

    reviews: list[ReviewView]
    total: int = Field(description="How many there are on all pages together.")


@router.get("", response_model=ReviewList)
async def list_reviews(
    app: App,
    owner: Owner,
    status: Annotated[Wanted, Query(description="`open` is pending or escalated.")] = "open",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> ReviewList:
    """The owner's reviews."""
    rows, total = await app.reviews.store.page(owner, _STATUSES[status], limit=limit, offset=offset)
    brief = [replace(row, message=row.message[:_LISTED_CHARS]) for row in rows]
    return ReviewList(reviews=[_view(row, app.reviews.overdue_s) for row in brief], total=total)


@router.get("/{run_id}", response_model=ReviewView)
async def get_review(run_id: str, app: App, owner: Owner) -> ReviewView:
    """The review of a run."""
    return _view(await app.reviews.store.get(owner, run_id), app.reviews.overdue_s)


@router.post("/{run_id}", response_model=ReviewView)
async def decide_review(run_id: str, body: DecisionBody, app: App, owner: Owner) -> ReviewView:
    """Approve or reject the model's label, or escalate.

    A decision is stored before anything else happens and stands: a second one answers 409 (`review_decided`). Its
    conversation then gets the final answer, usually before this call returns; `decision_run_id` names the run.
    """
    if body.decision == "escalate":
        await app.reviews.store.escalate(owner, run_id, owner, body.comment)
    elif (run := await app.reviews.decide(owner, run_id, body.answer(owner))) is not None:
        with suppress(TimeoutError):
            await asyncio.wait_for(app.runs.ended(owner, run.run_id), _ANSWER_WAIT_S)
    return await get_review(run_id, app, owner)


def _view(row: ReviewRow, overdue_s: float) -> ReviewView:
    request = ReviewRequest.model_validate(row.request)
    return ReviewView(
        run_id=row.run_id,
        thread_id=row.thread_id,
        status=row.status,
        message=row.message,
        request=request,
        fraud=FraudResult.model_validate(row.result["fraud"]),
        created_at=row.created_at,
        due_at=row.created_at + overdue_s,
        outcome=_outcome(row, request),
        decision_run_id=row.decision_run_id,
        history=[StepView.model_validate(step, from_attributes=True) for step in steps(row)],
    )


def _outcome(row: ReviewRow, request: ReviewRequest) -> ReviewOutcome | None:
    return review_outcome(request, review_answer(row)) if row.status == "decided" else None
