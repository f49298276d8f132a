"""Small chat models for tests that are not about a language model."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from tools.errors import ModelUnavailableError
from tools.ports import ChatRequest, Completion, TokenLogprobs, Usage


@dataclass
class LastOptionModel:
    """Answers with the last option of every field that has options and a fixed text for the others."""

    text: str = "Nowhere To Be Found"
    cut_after: int | None = None
    probability: float | None = None
    requests: list[ChatRequest] = field(default_factory=list[ChatRequest])
    name: str = "last-option"
    supports_grammar: bool = True
    adapter: str | None = None

    async def complete(self, request: ChatRequest) -> Completion:
        self.requests.append(request)
        assert request.json_schema is not None
        answers = {}
        for path, schema in request.json_schema["properties"].items():
            answers[path] = [option for option in schema["enum"] if option][-1] if "enum" in schema else self.text
        said = json.dumps(answers)[: self.cut_after]
        logprobs = [] if self.probability is None else [TokenLogprobs(said, math.log(self.probability))]
        return Completion(said, self.name, Usage(10, 5), logprobs=logprobs)

    async def stream(self, request: ChatRequest) -> AsyncIterator[str | Completion]:
        yield await self.complete(request)


class AbsentModel(LastOptionModel):
    """No endpoint answers."""

    async def complete(self, request: ChatRequest) -> Completion:
        self.requests.append(request)
        raise ModelUnavailableError("The model does not answer.")
