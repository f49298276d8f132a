"""Runs of a thread, and runs that bring a thread of their own."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from sse_starlette.sse import EventSourceResponse

from server.access.callers import Caller
from server.access.rules import needs
from server.dependencies import App, Owner, Spender
from server.idempotency import Identity
from server.inputs import ThreadId
from server.langgraph.answers import json_answer
from server.langgraph.bodies import MAX_OFFSET, RunBody
from server.langgraph.calls import run_request, temporary
from server.langgraph.streams import cursor, event_stream, final_state
from server.langgraph.thread_store import ThreadStore
from server.langgraph.threads import Owned, Threads
from server.langgraph.views import run_view
from server.runs.live import StartedRun
from server.runs.rows import RequestKey, RunRow, RunStatus
from server.sse import event_content
from tools.errors import NotFoundError

router = APIRouter(tags=["langgraph: runs"], dependencies=[needs("chat")])

ProtocolStatus = Literal["pending", "running", "error", "success", "timeout", "interrupted"]
_ROW_STATUS: dict[ProtocolStatus, RunStatus | None] = {
    "pending": "pending",
    "running": "running",
    "error": "error",
    "success": "success",
    "interrupted": "cancelled",
    "timeout": None,
}
_FIRST_EVENT = {"id": "1", "event": "metadata", "data": '{"run_id":"6f1c2a9e","attempt":1}'}
# How a route that answers with events tells so.
_STREAMED: dict[str, Any] = {
    "response_class": EventSourceResponse,
    "responses": {200: {"content": event_content(_FIRST_EVENT)}},
}


@router.post("/threads/{thread_id}/runs")
async def create_run(
    thread_id: ThreadId, body: RunBody, app: App, caller: Spender, threads: Threads, identity: Identity
) -> Response:
    """Start a run that nobody waits for."""
    run = await _start(app, caller, threads, thread_id, body, identity.of(body))
    return json_answer(run_view(await app.store.get(caller.owner, run.run_id)), Content_Location=_place(run))


@router.post("/threads/{thread_id}/runs/stream", **_STREAMED)
async def stream_run(
    thread_id: ThreadId, body: RunBody, app: App, caller: Spender, threads: Threads, identity: Identity
) -> EventSourceResponse:
    """Start a run and follow its events."""
    run = await _start(app, caller, threads, thread_id, body, identity.of(body))
    leaving = body.on_disconnect == "cancel"
    return event_stream(app, caller.owner, _place(run), run.run_id, cancel_on_disconnect=leaving)


@router.post("/threads/{thread_id}/runs/wait")
async def wait_run(
    thread_id: ThreadId,
    body: RunBody,
    request: Request,
    app: App,
    caller: Spender,
    threads: Threads,
    identity: Identity,
) -> StreamingResponse:
    """Start a run and wait for the state that it ends in."""
    run = await _start(app, caller, threads, thread_id, body, identity.of(body))
    leaving = body.on_disconnect == "cancel"
    return final_state(app, request, caller.owner, _place(run), run.run_id, cancel_on_disconnect=leaving)


@router.get("/threads/{thread_id}/runs")
async def list_runs(
    thread: Owned,
    app: App,
    owner: Owner,
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
    status: ProtocolStatus | None = None,
) -> Response:
    """The thread's runs, the newest first."""
    wanted = None if status is None else _ROW_STATUS[status]
    if status is not None and wanted is None:
        return json_answer([])
    rows = await app.store.of_thread(owner, thread.thread_id, limit=limit, offset=offset, status=wanted)
    return json_answer([run_view(row) for row in rows])


@router.get("/threads/{thread_id}/runs/{run_id}")
async def get_run(thread: Owned, run_id: str, app: App, owner: Owner) -> Response:
    """A run."""
    return json_answer(run_view(await _run(app, owner, thread.thread_id, run_id)))


@router.get("/threads/{thread_id}/runs/{run_id}/join")
async def join_run(
    thread: Owned, run_id: str, request: Request, app: App, owner: Owner, cancel_on_disconnect: bool = False
) -> StreamingResponse:
    """Wait for the state that a run ends in."""
    row = await _run(app, owner, thread.thread_id, run_id)
    return final_state(app, request, owner, _path(row), run_id, cancel_on_disconnect=cancel_on_disconnect)


@router.get("/threads/{thread_id}/runs/{run_id}/stream", **_STREAMED)
async def join_stream(
    thread: Owned,
    run_id: str,
    app: App,
    owner: Owner,
    last_event_id: Annotated[str | None, Header()] = None,
    cancel_on_disconnect: bool = False,
) -> EventSourceResponse:
    """Follow a run's events after the one that the reader has, also when it has ended."""
    row = await _run(app, owner, thread.thread_id, run_id)
    after = cursor(last_event_id)
    return event_stream(app, owner, _path(row), run_id, after=after, cancel_on_disconnect=cancel_on_disconnect)


@router.post("/threads/{thread_id}/runs/{run_id}/cancel")
async def cancel_run(
    thread: Owned,
    run_id: str,
    app: App,
    owner: Owner,
    wait: bool = False,
    action: Literal["interrupt", "rollback"] = "interrupt",
) -> Response:
    """Stop a run; with `rollback` also take back what it did to its thread."""
    await _run(app, owner, thread.thread_id, run_id)
    await app.runs.cancel(owner, run_id, action=action, wait=wait)
    return json_answer({}) if wait else Response(status_code=202)


@router.delete("/threads/{thread_id}/runs/{run_id}", status_code=204)
async def delete_run(thread: Owned, run_id: str, app: App, owner: Owner) -> None:
    """Forget a run that has ended; one that goes on is stopped first."""
    await _run(app, owner, thread.thread_id, run_id)
    await app.runs.cancel(owner, run_id)
    await app.store.delete(owner, run_id)


@router.post("/runs")
async def create_stateless(body: RunBody, app: App, caller: Spender, identity: Identity) -> Response:
    """Start a run on a thread of its own that nobody waits for."""
    run = await _start_alone(app, caller, body, identity.of(body))
    return json_answer(run_view(await app.store.get(caller.owner, run.run_id)), Content_Location=f"/runs/{run.run_id}")


@router.post("/runs/stream", **_STREAMED)
async def stream_stateless(body: RunBody, app: App, caller: Spender, identity: Identity) -> EventSourceResponse:
    """Start a run on a thread of its own and follow its events."""
    run = await _start_alone(app, caller, body, identity.of(body))
    leaving = body.on_disconnect == "cancel"
    return event_stream(app, caller.owner, f"/runs/{run.run_id}", run.run_id, cancel_on_disconnect=leaving)


@router.post("/runs/wait")
async def wait_stateless(
    body: RunBody, request: Request, app: App, caller: Spender, identity: Identity
) -> StreamingResponse:
    """Start a run on a thread of its own and wait for the state that it ends in."""
    run = await _start_alone(app, caller, body, identity.of(body))
    leaving = body.on_disconnect == "cancel"
    return final_state(app, request, caller.owner, _place(run), run.run_id, cancel_on_disconnect=leaving)


@router.get("/runs/{run_id}/stream", **_STREAMED)
async def join_stateless(
    run_id: str, app: App, owner: Owner, last_event_id: Annotated[str | None, Header()] = None
) -> EventSourceResponse:
    """Follow the events of a run with a thread of its own after the one that the reader has."""
    await app.store.get(owner, run_id)
    return event_stream(app, owner, f"/runs/{run_id}", run_id, after=cursor(last_event_id))


async def _start(
    app: App, caller: Caller, threads: ThreadStore, thread_id: str, body: RunBody, key: RequestKey | None
) -> StartedRun:
    # A decision that is on its way to the thread is refused a second time, but not to who sends the same again.
    known = None if key is None else await app.store.known_run(caller.owner, key)
    if known is not None:
        return StartedRun(*known)
    if body.if_not_exists == "reject":
        await threads.get(caller.owner, thread_id)
    else:
        await threads.open(caller.owner, thread_id, {}, again=True)
    return await app.runs.start(await run_request(app, caller, thread_id, body, key))


async def _start_alone(app: App, caller: Caller, body: RunBody, key: RequestKey | None) -> StartedRun:
    request = await run_request(app, caller, str(uuid.uuid4()), body, key)
    return await app.runs.start(temporary(request, body))


async def _run(app: App, owner: str, thread_id: str, run_id: str) -> RunRow:
    row = await app.store.get(owner, run_id)
    if row.thread_id != thread_id:
        raise NotFoundError(f"There is no run {run_id!r} on this thread.", run_id=run_id)
    return row


def _place(run: StartedRun) -> str:
    return f"/threads/{run.thread_id}/runs/{run.run_id}"


def _path(row: RunRow) -> str:
    return f"/threads/{row.thread_id}/runs/{row.run_id}"
