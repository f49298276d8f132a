"""An endpoint that answers with raw bytes, for what a well-behaved one would never send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.background import listening


def event(delta: dict[str, Any], **more: Any) -> str:
    """One chunk of a streamed completion as a server-sent event."""
    choice = {"index": 0, "delta": delta, "finish_reason": None, **more}
    chunk = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n"


GREETING = event({"role": "assistant", "content": ""})
UNFINISHED = event({"content": "half a"})
FINISHED = event({"content": "whole"}) + event({}, finish_reason="stop") + "data: [DONE]\n\n"


@contextmanager
def replying(bodies: list[str]) -> Iterator[str]:
    """Serves `bodies` one after the other, the last one for ever; yields the API's base URL."""
    left = iter(bodies)
    last = bodies[-1]

    async def reply(_request: Request) -> Response:
        return Response(next(left, last), media_type="text/event-stream")

    with listening(Starlette(routes=[Route("/v1/chat/completions", reply, methods=["POST"])])) as url:
        yield f"{url}/v1"
