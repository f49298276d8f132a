"""A model of a role: what it is called, what it can, and its answers put together from their chunks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, TypedDict

from langchain.messages import AIMessageChunk

from agent.models.breaker import CircuitBreaker
from agent.models.catalog import EndpointConfig, ModelConfig, Role
from agent.models.files import LANGUAGE_MODEL
from agent.models.meter import spend
from tools.errors import ModelUnavailableError
from tools.ports import ChatRequest, Completion, TokenLogprobs, Usage

if TYPE_CHECKING:
    from agent.models.endpoint_client import EndpointClient


# Roughly, for what an endpoint that was cut off did not get to count.
_CHARACTERS_PER_TOKEN = 4


class _Alternative(TypedDict):
    token: str
    logprob: float


class _Token(_Alternative, total=False):
    top_logprobs: list[_Alternative] | None


class _ChoiceLogprobs(TypedDict, total=False):
    content: list[_Token] | None


class RoleModel:
    """One model of a role at its endpoint; satisfies `tools.ports.ChatModel`.

    An endpoint that keeps failing is left alone for a while by its circuit breaker.
    """

    def __init__(self, role: ModelConfig, endpoint: EndpointConfig, base_url: str, breaker: CircuitBreaker) -> None:
        """Bind a role to the endpoint at `base_url`; `breaker` is shared by all roles of that endpoint."""
        self._role = role
        self._endpoint = endpoint
        self._breaker = breaker
        self._base_url = base_url
        self._client: EndpointClient | None = None

    @property
    def name(self) -> str:
        """The model's name, with its adapter."""
        return _served_name(self._role, self._endpoint)

    @property
    def base_name(self) -> str:
        """The model's name without an adapter."""
        return self._role.model

    @property
    def adapter(self) -> str | None:
        """The adapter's name."""
        return self._role.adapter

    @property
    def sha256(self) -> str | None:
        """SHA-256 of the weights that are served, where they are ours."""
        return LANGUAGE_MODEL.sha256 if self._endpoint.kind == "embedded" else None

    def versions(self, role: Role) -> dict[str, str]:
        """What a result records of the model: its name, and its weights where they are ours."""
        weights = {} if self.sha256 is None else {f"{role}_model_sha256": self.sha256}
        return {f"{role}_model": self.name, **weights}

    @property
    def identity(self) -> str:
        """What answers depend on beside the request: endpoint, weights, adapter, style and limits."""
        served = {"base_url": str(self._endpoint.base_url), "sha256": self.sha256}
        return json.dumps({**self._role.model_dump(exclude={"fallbacks"}), **served}, sort_keys=True)

    @property
    def supports_grammar(self) -> bool:
        """Whether the endpoint honours GBNF grammars."""
        return self._endpoint.honours_grammars

    @property
    def resting(self) -> bool:
        """Whether its endpoint is left alone after failures."""
        return self._breaker.state == "open"

    @property
    def quotes(self) -> bool:
        """Whether answers are chosen among the passages' sentences rather than written."""
        return self._role.style == "quote" or (self._role.style == "auto" and self._endpoint.kind == "embedded")

    async def complete(self, request: ChatRequest) -> Completion:
        """Run the request to its end. It is streamed underneath: a cancelled plain call would leak its trace span."""
        async with aclosing(self.stream(request)) as items:
            async for item in items:
                if isinstance(item, Completion):
                    return item
        raise ModelUnavailableError(f"The model {self.name} ended its answer without finishing it.")

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | Completion]:
        """Yield text as it is generated, then the finished `Completion`.

        What it cost is counted on the caller's meter (`agent.models.meter`), as an estimate where it is cut off.

        Raises:
            ModelUnavailableError: the endpoint failed, timed out or is resting after failures.
            InputError: the endpoint refused the request itself, e.g. for its length.
        """
        if not self._breaker.allow():
            raise ModelUnavailableError(f"The model {self.name} failed repeatedly and is resting.", reason="breaker")
        chunks: list[AIMessageChunk] = []
        report = self._breaker.abandoned
        try:
            client = self._client or await asyncio.to_thread(self._open)
            async with aclosing(client.stream(request)) as stream:
                async for chunk in stream:
                    chunks.append(chunk)
                    if text := chunk.text:
                        yield text
            report = self._breaker.succeeded
        except ModelUnavailableError:
            report = self._breaker.failed
            if chunks:
                spend(self._estimate(request, chunks))
            raise
        except (asyncio.CancelledError, GeneratorExit):
            spend(self._estimate(request, chunks))
            raise
        finally:
            report()
        completion = self._completion(chunks)
        spend(completion.usage)
        yield completion

    def _completion(self, chunks: list[AIMessageChunk]) -> Completion:
        usage = Usage()
        finish_reason: str | None = None
        logprobs: list[TokenLogprobs] = []
        for chunk in chunks:
            if (counted := chunk.usage_metadata) is not None:
                usage += self._usage(counted["input_tokens"], counted["output_tokens"])
            finish_reason = chunk.response_metadata.get("finish_reason") or finish_reason
            logprobs += _logprobs(chunk)
        text = "".join(chunk.text for chunk in chunks)
        return Completion(text, self.name, usage, finish_reason, tuple(logprobs))

    def _estimate(self, request: ChatRequest, chunks: list[AIMessageChunk]) -> Usage:
        """What a call that was cut off has cost, about: endpoints count tokens in the last chunk only."""
        characters = sum(len(message.content) for message in request.messages)
        return self._usage(characters // _CHARACTERS_PER_TOKEN, len(chunks))

    def _usage(self, prompt_tokens: int, completion_tokens: int) -> Usage:
        cost = (
            prompt_tokens * self._endpoint.price_per_1k_input + completion_tokens * self._endpoint.price_per_1k_output
        )
        return Usage(prompt_tokens, completion_tokens, cost / 1000)

    def _open(self) -> EndpointClient:
        """Blocks while the modules of the first client are loaded."""
        from agent.models.endpoint_client import EndpointClient

        if self._client is None:
            self._client = EndpointClient(self.name, self._role, self._endpoint, self._base_url)
        return self._client


def _logprobs(chunk: AIMessageChunk) -> Iterator[TokenLogprobs]:
    reported: _ChoiceLogprobs | None = chunk.response_metadata.get("logprobs")  # pyright: ignore[reportUnknownMemberType]
    for token in (reported or {}).get("content") or []:
        top = {entry["token"]: entry["logprob"] for entry in token.get("top_logprobs") or []}
        yield TokenLogprobs(token["token"], token["logprob"], top)


def _served_name(role: ModelConfig, endpoint: EndpointConfig) -> str:
    # vLLM addresses an adapter by its own name, in the place of the model's.
    if role.adapter and endpoint.kind == "vllm":
        return role.adapter
    return role.model if role.adapter is None else f"{role.model}+{role.adapter}"
