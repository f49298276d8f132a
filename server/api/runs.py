"""Runs: look one up, read its events from any point, cancel it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel
from sse_starlette.sse import EventSourceResponse

from server.access.rules import needs
from server.dependencies import App, Owner
from server.runs.events import parse_cursor
from server.runs.rows import RunRow, RunStatus
from server.sse import event_content, stream_events

router = APIRouter(prefix="/runs", tags=["runs"], dependencies=[needs("chat")])


class RunView(BaseModel):
    """A run."""

    run_id: str
    thread_id: str
    status: RunStatus
    message: str
    result: dict[str, Any] | None
    error_code: str | None
    trace_id: str
    created_at: float
    finished_at: float | None


class Cancelled(BaseModel):
    """Whether the run was still going."""

    cancelled: bool


@router.get("/{run_id}", response_model=RunView)
async def get_run(run_id: str, app: App, owner: Owner) -> RunRow:
    """A run with its result."""
    return await app.store.get(owner, run_id)


@router.get(
    "/{run_id}/events",
    response_class=EventSourceResponse,
    responses={200: {"content": event_content({"id": "6f1c2a9e:7", "event": "token", "data": '{"text":"within "}'})}},
)
async def get_events(
    run_id: str,
    app: App,
    owner: Owner,
    last_event_id: Annotated[str | None, Header(description="`<run_id>:<seq>` of the last event received.")] = None,
    after: Annotated[int | None, Query(ge=0, le=10**12, description="The same, as a number.")] = None,
) -> EventSourceResponse:
    """The run's events after the given one, live while it goes on, up to `end`."""
    await app.store.get(owner, run_id)
    return stream_events(app.runs.follow(owner, run_id, parse_cursor(run_id, last_event_id, after)))


@router.post("/{run_id}/cancel", response_model=Cancelled)
async def cancel_run(run_id: str, app: App, owner: Owner) -> Cancelled:
    """Stop a run. Its readers get `error` with code `cancelled`, then `end`."""
    return Cancelled(cancelled=await app.runs.cancel(owner, run_id))
