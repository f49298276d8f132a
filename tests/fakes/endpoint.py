"""An OpenAI-compatible endpoint without a model: answers are scripted, and so are delays, errors and disconnects."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.fakes.background import listening

PRICE_IN = 0.5
PRICE_OUT = 1.5
_ROLES = ("answer", "extract", "fraud")
_SENTENCE = re.compile(r'<passage n="1"[^>]*>\n.*?([^.\n]+)\.', re.DOTALL)
_SAID = re.compile(r'<said by="(\w+)"[^>]*>\n(.*?)\n</said ', re.DOTALL)
_LONGEST_HOLD_S = 30
# One probability a position is enough: FRAUD and LEGITIMATE differ in their first token.
FRAUD_LOGPROBS = {"FRAUD": -0.2, "LEG": -1.8}


@dataclass(frozen=True)
class Reply:
    """One scripted answer. With `hold`, the answer stops after `hold_after` words until the event is set.

    `pace_s` are seconds between its words.
    """

    text: str = ""
    status: int = 200
    delay_s: float = 0.0
    pace_s: float = 0.0
    hold: Event | None = None
    hold_after: int = 1
    cut_after: int | None = None
    top_logprobs: dict[str, float] | None = None


Script = Callable[[dict[str, Any]], Reply]


def scripted(body: dict[str, Any]) -> Reply:
    """What a well-behaved model says: a cited sentence, a rewritten follow-up, an empty extraction, a label."""
    system, last = body["messages"][0]["content"], body["messages"][-1]["content"]
    if body["model"].endswith("fraud"):
        return Reply("FRAUD", top_logprobs=FRAUD_LOGPROBS)
    if body["model"].endswith("extract"):
        return Reply("{}")
    if system.startswith("Rewrite"):
        said = [text for by, text in turns_in(body) if by == "user"]
        return Reply(_rewritten([*said, last.rpartition("Last message: ")[2]]))
    sentence = _SENTENCE.search(last)
    return Reply(f"{sentence.group(1).strip()} [1]." if sentence else "NOANSWER")


def turns_in(body: dict[str, Any]) -> list[tuple[str, str]]:
    """The earlier turns that a prompt shows: who spoke, and what was said."""
    return _SAID.findall(body["messages"][-1]["content"])


def _rewritten(said: Sequence[str]) -> str:
    """The question before a follow-up, for what the follow-up names: it takes the conversation to know that one."""
    earlier, follow_up = (said[-2] if len(said) > 1 else ""), said[-1]
    kind = re.search(r"\w+ cards?", follow_up)
    return re.sub(r"\w+ card\b", kind.group().rstrip("s") if kind else "", earlier) or follow_up


@dataclass
class FakeEndpoint:
    """The endpoint: `script` decides each answer, `requests` keeps every body that came in."""

    script: Script = scripted
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    url: str = ""

    def models_file(self, path: Path, *, endpoint: str = "fake", url: str | None = None, judge: bool = False) -> Path:
        """Writes a models file that sends every role here (or to `url`), the judge only where it is to judge."""
        endpoints = {
            endpoint: {
                "kind": "openai",
                "base_url": url or f"{self.url}/v1",
                "timeout_s": 30,
                "max_attempts": 1,
                "price_per_1k_input": PRICE_IN,
                "price_per_1k_output": PRICE_OUT,
            }
        }
        roles_here = (*_ROLES, "judge") if judge else _ROLES
        roles = {role: {"endpoint": endpoint, "model": f"fake-{role}", "max_tokens": 200} for role in roles_here}
        path.write_text(json.dumps({"endpoints": endpoints, "roles": roles}), encoding="utf-8")
        return path

    async def complete(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        try:
            body = await request.json()
        except ClientDisconnect:
            return Response()
        self.requests.append(body)
        reply = self.script(body)
        await asyncio.sleep(reply.delay_s)
        if reply.status != 200:
            return JSONResponse({"error": {"message": "scripted", "type": "scripted"}}, reply.status)
        return StreamingResponse(_stream(body, reply), media_type="text/event-stream")


@contextmanager
def fake_endpoint() -> Iterator[FakeEndpoint]:
    """Serves a `FakeEndpoint` on loopback."""
    endpoint = FakeEndpoint()
    app = Starlette(routes=[Route("/v1/chat/completions", endpoint.complete, methods=["POST"])])
    with listening(app) as endpoint.url:
        yield endpoint


async def _stream(body: dict[str, Any], reply: Reply) -> AsyncGenerator[str]:
    words = re.findall(r"\S+\s*|\s+", reply.text)
    for position, word in enumerate(words):
        if position == reply.cut_after:
            raise ConnectionError("scripted disconnect")
        if reply.hold is not None and position == reply.hold_after:
            await asyncio.to_thread(reply.hold.wait, _LONGEST_HOLD_S)
        if reply.pace_s:
            await asyncio.sleep(reply.pace_s)
        yield _chunk(body, {"delta": {"content": word}, "logprobs": _logprobs(word, reply)})
    yield _chunk(body, {"delta": {}, "finish_reason": "stop"})
    yield _chunk(body, None, usage=usage(body, reply.text))
    yield "data: [DONE]\n\n"


def usage(body: dict[str, Any], answer: str) -> dict[str, int]:
    """Words are tokens here."""
    prompt = sum(len(message["content"].split()) for message in body["messages"])
    completion = len(answer.split())
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _logprobs(word: str, reply: Reply) -> dict[str, Any] | None:
    if reply.top_logprobs is None:
        return None
    top = [{"token": token, "logprob": value, "bytes": None} for token, value in reply.top_logprobs.items()]
    return {"content": [{"token": word, "logprob": top[0]["logprob"], "bytes": None, "top_logprobs": top}]}


def _chunk(body: dict[str, Any], choice: dict[str, Any] | None, **more: Any) -> str:
    choices = [] if choice is None else [{"index": 0, "finish_reason": None, **choice}]
    chunk = {
        "id": "fake",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": body["model"],
        "choices": choices,
        **more,
    }
    return f"data: {json.dumps(chunk)}\n\n"
