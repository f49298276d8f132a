"""What a chat completion answers with: in one piece, or in chunks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from pydantic import BaseModel, Field

from agent.results import Citation, ExtractionResult, FraudResult, ReviewRequest, Route
from server.openai.requests import MODEL

DONE = b"data: [DONE]\n\n"


class Usage(BaseModel):
    """Tokens of the turn, those of every model call together."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class AssistantMessage(BaseModel):
    """The answer, as the native API gives it: `[n]` points to a citation."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    """The one answer."""

    index: Literal[0] = 0
    message: AssistantMessage
    logprobs: None = None
    finish_reason: Literal["stop"] = "stop"


class SwitchyardFields(BaseModel):
    """What the OpenAI protocol has no place for: the route, the evidence and the typed results."""

    run_id: str
    thread_id: str
    trace_id: str
    route: Route
    routed_to: Route
    confidence: float
    abstained: bool
    reason: str | None
    suggestions: list[str]
    citations: list[Citation]
    extraction: ExtractionResult | None
    fraud: FraudResult | None
    interrupt: ReviewRequest | None = None
    degraded: bool


class ChatCompletion(BaseModel):
    """A finished turn."""

    id: str = Field(description="`chatcmpl-` and the run's id.")
    object: Literal["chat.completion"] = "chat.completion"
    created: int = Field(description="Seconds since 1970.")
    model: str = MODEL
    choices: list[Choice]
    usage: Usage
    switchyard: SwitchyardFields


def completion(result: Mapping[str, Any], created: int) -> ChatCompletion:
    """The completion of a finished run, from its `result`."""
    return ChatCompletion(
        id=completion_id(result["run_id"]),
        created=created,
        choices=[Choice(message=AssistantMessage(content=result["answer"]))],
        usage=_usage(result),
        switchyard=SwitchyardFields.model_validate(result),
    )


def completion_id(run_id: str) -> str:
    """The id of a run's completion."""
    return f"chatcmpl-{run_id}"


@dataclass(frozen=True)
class Chunks:
    """Writes the chunks of one completion as server-sent events."""

    run_id: str
    created: int
    include_usage: bool

    def opening(self, thread_id: str) -> bytes:
        """The first chunk: the role, and by which ids the native API knows the run."""
        ids = {"run_id": self.run_id, "thread_id": thread_id}
        return self._chunk([_choice({"role": "assistant", "content": ""})], switchyard=ids)

    def text(self, text: str) -> bytes:
        """A piece of the answer."""
        return self._chunk([_choice({"content": text})])

    def closing(self, result: Mapping[str, Any]) -> bytes:
        """The last chunk of the answer, with what a run came to; then the usage, where it was asked for."""
        fields = SwitchyardFields.model_validate(result).model_dump(mode="json", by_alias=True)
        closing = self._chunk([_choice({}, finish_reason="stop")], switchyard=fields)
        if not self.include_usage:
            return closing
        return closing + self._chunk([], usage=_usage(result).model_dump())

    def _chunk(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        chunk = {
            "id": completion_id(self.run_id),
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": MODEL,
            "choices": choices,
            **({"usage": None} if self.include_usage else {}),
            **more,
        }
        return data_frame(chunk)


def data_frame(data: Mapping[str, Any]) -> bytes:
    """A server-sent event without a name, as OpenAI's clients read them."""
    return b"data: " + orjson.dumps(data) + b"\n\n"


def _choice(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _usage(result: Mapping[str, Any]) -> Usage:
    prompt, answer = result["usage"]["prompt_tokens"], result["usage"]["completion_tokens"]
    return Usage(prompt_tokens=prompt, completion_tokens=answer, total_tokens=prompt + answer)
