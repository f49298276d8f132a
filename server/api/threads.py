"""Threads: list, read, delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from server.access.rules import needs
from server.api.corrections import CorrectedValue
from server.corrections.rows import CorrectionRow
from server.dependencies import App, Owner
from server.runs.rows import RunStatus, TurnRow

router = APIRouter(prefix="/threads", tags=["threads"], dependencies=[needs("chat")])


class ThreadView(BaseModel):
    """A conversation."""

    thread_id: str
    title: str
    created_at: float
    updated_at: float


class ThreadList(BaseModel):
    """Conversations, the newest first."""

    threads: list[ThreadView]


class GivenFeedback(BaseModel):
    """The owner's verdict on an answer."""

    score: int
    comment: str | None


class AttachedDocument(BaseModel):
    """A document that was attached to a message."""

    document_id: str
    title: str


class Turn(BaseModel):
    """One message of the user with what came of it."""

    run_id: str
    message: str
    status: RunStatus
    result: dict[str, Any] | None
    error_code: str | None
    created_at: float
    documents: list[AttachedDocument]
    feedback: GivenFeedback | None
    corrections: dict[str, CorrectedValue] = Field(description="Of fields of `result.extraction`, by path.")


class ThreadDetail(ThreadView):
    """A conversation with its turns, oldest first."""

    turns: list[Turn]


@router.get("", response_model=ThreadList)
async def list_threads(app: App, owner: Owner, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> ThreadList:
    """The owner's conversations."""
    rows = await app.store.threads(owner, limit)
    return ThreadList(threads=[ThreadView.model_validate(row, from_attributes=True) for row in rows])


@router.get("/{thread_id}", response_model=ThreadDetail)
async def get_thread(thread_id: str, app: App, owner: Owner) -> ThreadDetail:
    """A conversation with its turns."""
    row, turns = await app.store.thread(owner, thread_id)
    corrected = await app.corrections.of_thread(owner, thread_id)
    titles = {document.document_id: document.title for document in await app.documents.list(owner)}
    return ThreadDetail(
        thread_id=row.thread_id,
        title=row.title,
        created_at=row.created_at,
        updated_at=row.updated_at,
        turns=[_turn(turn, titles, corrected.get(turn.run.run_id, ())) for turn in turns],
    )


@router.delete("/{thread_id}", status_code=204)
async def delete_thread(thread_id: str, app: App, owner: Owner) -> None:
    """Remove a conversation for good, with its runs, events and memory."""
    await app.delete_thread(owner, thread_id)


def _turn(turn: TurnRow, titles: Mapping[str, str], corrected: Sequence[CorrectionRow]) -> Turn:
    run, given = turn.run, turn.feedback
    return Turn(
        run_id=run.run_id,
        message=run.message,
        status=run.status,
        result=run.result,
        error_code=run.error_code,
        created_at=run.created_at,
        documents=[AttachedDocument(document_id=i, title=titles.get(i, i)) for i in turn.document_ids],
        feedback=None if given is None else GivenFeedback(score=given.score, comment=given.comment),
        corrections={row.field: CorrectedValue.model_validate(row, from_attributes=True) for row in corrected},
    )
