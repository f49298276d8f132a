"""A chat model for tests that answers with given log-probabilities."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from tools.errors import ModelUnavailableError
from tools.ports import ChatRequest, Completion, TokenLogprobs, Usage


@dataclass
class ScriptedModel:
    """Answers every request with the same first-token distribution; `None` stands for an endpoint that is down."""

    top: Mapping[str, float] | None
    supports_grammar: bool = True
    name: str = "scripted"
    base_name: str = "scripted"
    adapter: str | None = None
    sha256: str | None = None
    delay_s: float = 0.0
    requests: list[ChatRequest] = field(default_factory=list)
    running: int = 0
    most_running: int = 0

    async def complete(self, request: ChatRequest) -> Completion:
        self.requests.append(request)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await asyncio.sleep(self.delay_s)
        self.running -= 1
        if self.top is None:
            raise ModelUnavailableError("The model does not answer.")
        if not self.top:
            return Completion("F", self.name, Usage(10, 1))
        token = max(self.top, key=lambda name: self.top[name] if self.top else 0)
        return Completion(token, self.name, Usage(10, 1), logprobs=[TokenLogprobs(token, self.top[token], self.top)])

    async def stream(self, request: ChatRequest) -> AsyncIterator[str | Completion]:
        yield await self.complete(request)
