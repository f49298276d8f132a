"""An OpenAI-compatible endpoint that answers at once, to measure everything but the model.

Run as `python -m eval.bench.fake_model PORT`. It quotes the first sentence of the prompt's first passage, so that its
answers pass the same checks as a real model's. `GET /requests` returns the prompts it got.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_PASSAGE = re.compile(r'<passage n="(\d+)"[^>]*>\n(.*?)\n</passage ', re.DOTALL)
_SENTENCE = re.compile(r"(?:^|(?<=[.!?]\s))[A-Z][^.!?|#\n]{30,}[.!?]", re.MULTILINE)
_LISTED = re.compile(r"^- (.+)$", re.MULTILINE)
_PIECES = 12
_requests: list[dict[str, Any]] = []


async def _chat(request: Request) -> Response:
    body = await request.json()
    _requests.append(body)
    pieces = _split(_answer(body["messages"][-1]["content"]))
    chunks = [_chunk({"role": "assistant", "content": ""}), *(_chunk({"content": piece}) for piece in pieces)]
    chunks.append(_chunk({}, "stop"))
    chunks.append({**_chunk({}), "choices": [], "usage": _USAGE})
    text = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    return Response(f"{text}data: [DONE]\n\n", media_type="text/event-stream")


async def _prompts(_: Request) -> Response:
    found, _requests[:] = list(_requests), []
    return JSONResponse(found)


def _answer(prompt: str) -> str:
    if listed := _LISTED.search(prompt):
        return listed.group(1)
    for n, text in _PASSAGE.findall(prompt):
        if sentence := _SENTENCE.search(text):
            return f"{' '.join(sentence.group().split())} [{n}]"
    return "NOANSWER"


def _split(text: str) -> list[str]:
    size = max(1, len(text) // _PIECES)
    return [text[i : i + size] for i in range(0, len(text), size)]


def _chunk(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    return {
        "id": "fake",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "fake",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }


_USAGE = {"prompt_tokens": 100, "completion_tokens": 12, "total_tokens": 112}

app = Starlette(routes=[Route("/v1/chat/completions", _chat, methods=["POST"]), Route("/requests", _prompts)])

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", loop="uvloop", http="httptools")
