"""Answers that last as long as a run: its events as they come, or its final state."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

import orjson
from fastapi import Request
from fastapi.responses import StreamingResponse
from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse

from server.application import DRAIN_GRACE_S, Application
from server.langgraph.calls import thread_config
from server.langgraph.plain import to_json
from server.runs.events import RunEvent
from tools.errors import InputError

_HEARTBEAT_S = 5
_LOOKS_S = 0.2
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def event_stream(
    app: Application, owner: str, place: str, run_id: str, *, after: int = 0, cancel_on_disconnect: bool = False
) -> EventSourceResponse:
    """A run's events after number `after`. `place` is the run's path, which tells clients where to rejoin."""
    return EventSourceResponse(
        _frames(app, owner, run_id, after, cancel_on_disconnect),
        headers={**_HEADERS, **_locations(place, "stream")},
        ping=_HEARTBEAT_S,
        ping_message_factory=lambda: ServerSentEvent(comment="heartbeat"),
        sep="\n",
        shutdown_grace_period=DRAIN_GRACE_S + 2,
    )


def final_state(
    app: Application,
    request: Request,
    owner: str,
    place: str,
    run_id: str,
    *,
    cancel_on_disconnect: bool = False,
) -> StreamingResponse:
    """The state that a run ends in; white space before it keeps the connection open."""
    body = _awaited_state(app, request, owner, run_id, cancel_on_disconnect)
    return StreamingResponse(body, media_type="application/json", headers={**_HEADERS, **_locations(place, "join")})


def cursor(last_event_id: str | None) -> int:
    """The number of the last event that a reader has; -1 and none ask for all.

    Raises:
        InputError: it is no number of an event.
    """
    given = (last_event_id or "-1").strip()
    if given == "-1":
        return 0
    if not given.isascii() or not given.isdecimal() or len(given) > 12:
        raise InputError("Last-Event-ID must be the id of an event of this run.", code="invalid_cursor")
    return int(given)


def _locations(place: str, how: str) -> dict[str, str]:
    return {"Location": f"{place}/{how}", "Content-Location": place}


async def _frames(
    app: Application, owner: str, run_id: str, after: int, cancel_on_disconnect: bool
) -> AsyncGenerator[bytes]:
    ended = False
    try:
        async for arrived in app.runs.follow(owner, run_id, after):
            frames = [frame for event in arrived if (frame := _frame(event))]
            yield b"".join(frames)
        ended = True
    finally:
        if cancel_on_disconnect and not ended:
            app.runs.abandon(owner, run_id)


def _frame(event: RunEvent) -> bytes | None:
    """An event on the wire. What every run says is named here as the reference server names it."""
    name, data = event.name, event.data
    if name == "run":
        name, data = "metadata", orjson.dumps({"run_id": event.run_id, "attempt": 1}).decode()
    elif name == "restart":
        attempt = orjson.loads(data)["attempt"]
        name, data = "metadata", orjson.dumps({"run_id": event.run_id, "attempt": attempt}).decode()
    elif name == "error":
        problem = orjson.loads(data)
        if problem["code"] == "cancelled":
            return None
        data = orjson.dumps({"error": problem["code"], "message": problem["message"]}).decode()
    elif name == "end":
        data = "null"
    return ServerSentEvent(data=data, event=name, id=str(event.seq), sep="\n").encode()


async def _awaited_state(
    app: Application, request: Request, owner: str, run_id: str, cancel_on_disconnect: bool
) -> AsyncGenerator[bytes]:
    waiting = asyncio.ensure_future(app.runs.ended(owner, run_id))
    spoke = time.monotonic()
    try:
        while not (await asyncio.wait([waiting], timeout=_LOOKS_S))[0]:
            if await request.is_disconnected():
                return
            if time.monotonic() - spoke > _HEARTBEAT_S:
                spoke = time.monotonic()
                yield b"\n"
        yield await _ending(app, owner, run_id)
    finally:
        waiting.cancel()
        if cancel_on_disconnect:
            app.runs.abandon(owner, run_id)


async def _ending(app: Application, owner: str, run_id: str) -> bytes:
    if (run := app.runs.find(owner, run_id)) is not None:
        if run.error is not None and run.error.code != "cancelled":
            return to_json({"__error__": {"error": run.error.code, "message": run.error.message}})
        state = run.state or await app.graph.aget_state(thread_config(run.row.thread_id))
    else:
        row = await app.store.get(owner, run_id)
        if row.status == "error":
            message = "The run ended with an error."
            return to_json({"__error__": {"error": row.error_code, "message": message}})
        state = await app.graph.aget_state(thread_config(row.thread_id))
    if state.interrupts:
        return to_json({"__interrupt__": [{"id": one.id, "value": one.value} for one in state.interrupts]})
    return to_json(state.values)
