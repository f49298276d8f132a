"""POST /feedback: thumbs up or down for a run."""

from __future__ import annotations

import time
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from server.access.rules import needs
from server.db.dialects import insert_into
from server.db.tables import feedback
from server.dependencies import App, Owner
from server.inputs import RequestBody, Text

router = APIRouter(tags=["feedback"], dependencies=[needs("chat")])


class FeedbackRequest(RequestBody):
    """A verdict on an answer; a second one by the same person replaces the first."""

    run_id: str
    score: Literal[1, -1]
    comment: Text | None = Field(default=None, max_length=5000)
    correction: dict[str, Any] | None = Field(default=None, description="What the answer should have been.")


class FeedbackStored(BaseModel):
    """The verdict as it was stored."""

    run_id: str
    score: int


@router.post("/feedback", response_model=FeedbackStored, status_code=201)
async def give_feedback(body: FeedbackRequest, app: App, owner: Owner) -> FeedbackStored:
    """Store a verdict on a run."""
    await app.store.get(owner, body.run_id)
    values = {
        "score": body.score,
        "comment": body.comment,
        "correction": body.correction,
        "created_at": time.time(),
    }

    def store(connection: Connection) -> None:
        verdict = insert_into(connection, feedback).values(run_id=body.run_id, owner=owner, **values)
        connection.execute(verdict.on_conflict_do_update(index_elements=["run_id", "owner"], set_=values))

    await app.database.write(store)
    return FeedbackStored(run_id=body.run_id, score=body.score)
