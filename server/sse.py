"""Run events as server-sent events, and how such a stream is answered."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any

from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse

from server.application import DRAIN_GRACE_S
from server.runs.events import RunEvent

_PING_S = 15
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def event_content(example: Mapping[str, str]) -> dict[str, Any]:
    """A stream of events as the API's description tells of it: in OpenAPI 3.1 the schema is that of each event."""
    fields = {
        "event": "What it tells; left out where all events are alike.",
        "data": "JSON, or the mark of the end.",
        "id": "Where it is in its stream: what to send as `Last-Event-ID`.",
    }
    properties = {name: {"type": "string", "description": said} for name, said in fields.items()}
    schema = {"type": "object", "required": ["data"], "properties": properties}
    return {"text/event-stream": {"schema": schema, "example": dict(example)}}


def stream_events(events: AsyncIterator[Sequence[RunEvent]]) -> EventSourceResponse:
    """Answer with the events as they come, each batch in one write. The reader may leave: the run goes on."""
    return stream_frames(_frames(events))


def stream_frames(frames: AsyncIterator[bytes]) -> EventSourceResponse:
    """Answer with encoded server-sent events, and comments in between that keep the connection open."""
    return EventSourceResponse(
        frames,
        headers=_HEADERS,
        ping=_PING_S,
        sep="\n",
        # On shutdown the run manager ends the runs, so that each stream closes with its terminal event.
        shutdown_grace_period=DRAIN_GRACE_S + 2,
    )


async def _frames(events: AsyncIterator[Sequence[RunEvent]]) -> AsyncGenerator[bytes]:
    async for arrived in events:
        frames = [ServerSentEvent(data=event.data, event=event.name, id=event.id, sep="\n") for event in arrived]
        yield b"".join(frame.encode() for frame in frames)
