"""Roles made callable: every language-model call goes through here, over langchain-openai."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any, TypedDict

import httpx2
import openai
from langchain.messages import AIMessageChunk
from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI
from langgraph.constants import TAG_NOSTREAM
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from agent.models.breaker import CircuitBreaker
from agent.models.catalog import Catalog, EndpointConfig, ModelConfig, Role
from agent.models.chain import ModelChain
from agent.models.embedded import EmbeddedServer
from agent.models.files import LANGUAGE_MODEL
from agent.models.raw_chunks import RawChunkCompletions
from tools.errors import InputError, ModelUnavailableError
from tools.ports import ChatRequest, Completion, TokenLogprobs, Usage
from tools.untrusted import inert

_log = logging.getLogger(__name__)

_CONNECT_TIMEOUT_S = 5.0
_LONGEST_PAUSE_S = 4.0
# An answer of many times its limit comes from an endpoint that does not keep to it, and might never end.
_CHARS_PER_TOKEN = 50
_SPARE_CHARS = 5000
_SPARE_CHUNKS = 1000


class MalformedReplyError(Exception):
    """The endpoint's answer is cut short or not what the protocol says."""


_TRANSIENT = (
    openai.APIConnectionError,
    openai.RateLimitError,
    openai.InternalServerError,
    httpx2.TransportError,  # what the OpenAI client lets through once the body has begun
    MalformedReplyError,
)
_REFUSALS = (openai.BadRequestError, openai.UnprocessableEntityError)
_ENDPOINT_FAILURES = (openai.APIError, httpx2.HTTPError, TimeoutError, MalformedReplyError)
# What langchain-openai raises on a reply that is no JSON, or JSON of another shape.
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)


class _Alternative(TypedDict):
    token: str
    logprob: float


class _Token(_Alternative, total=False):
    top_logprobs: list[_Alternative] | None


class _ChoiceLogprobs(TypedDict, total=False):
    content: list[_Token] | None


class RoleModel:
    """One model of a role at its endpoint; satisfies `tools.ports.ChatModel`.

    Calls that fail before their first token are tried again with exponential backoff and full jitter; an endpoint that
    keeps failing is left alone for a while by its circuit breaker.
    """

    def __init__(self, role: ModelConfig, endpoint: EndpointConfig, base_url: str, breaker: CircuitBreaker) -> None:
        """Bind a role to the endpoint at `base_url`; `breaker` is shared by all roles of that endpoint."""
        self._role = role
        self._endpoint = endpoint
        self._breaker = breaker
        self._client = ChatOpenAI(
            model=_served_name(role, endpoint),
            # Whole, so that langchain-openai builds no clients of its own, whose modules take half a second to load.
            async_client=RawChunkCompletions(_client(endpoint, base_url)),
            base_url=base_url,
            max_retries=0,
            stream_usage=True,
            # The client's own time-out bounds each read; a second one would put a task around every chunk.
            stream_chunk_timeout=None,
        )

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
        return self._endpoint.kind == "embedded"

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

        Raises:
            ModelUnavailableError: the endpoint failed, timed out or is resting after failures.
            InputError: the endpoint refused the request itself, e.g. for its length.
        """
        if not self._breaker.allow():
            raise ModelUnavailableError(f"The model {self.name} failed repeatedly and is resting.", reason="breaker")
        chunks: list[AIMessageChunk] = []
        report = self._breaker.abandoned
        try:
            async with aclosing(self._attempts(request)) as stream:
                async for chunk in stream:
                    chunks.append(chunk)
                    if text := chunk.text:
                        yield text
            report = self._breaker.succeeded
        except _REFUSALS as error:
            _log.warning("model %s refused a request: %s", self.name, error)
            raise InputError("The model refused the request; it may be too long.", code="model_refused") from error
        except _ENDPOINT_FAILURES as error:
            report = self._breaker.failed
            _log.warning("model %s failed: %s", self.name, type(error).__name__)
            raise ModelUnavailableError(
                f"The model {self.name} does not answer.", reason=type(error).__name__
            ) from error
        finally:
            report()
        yield self._completion(chunks)

    async def _attempts(self, request: ChatRequest) -> AsyncGenerator[AIMessageChunk]:
        started = False
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._endpoint.max_attempts),
            wait=wait_random_exponential(max=_LONGEST_PAUSE_S),
            retry=retry_if_exception(lambda error: not started and isinstance(error, _TRANSIENT)),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                async with aclosing(self._chunks(request)) as chunks:
                    async for chunk in chunks:
                        started = started or bool(chunk.text)
                        yield chunk

    async def _chunks(self, request: ChatRequest) -> AsyncGenerator[AIMessageChunk]:
        # Here, and not where prompts are made: no text reaches any model with a control token in it.
        messages = [(message.role, inert(message.content)) for message in request.messages]
        options = self._options(request)
        # Not to the graph's stream of messages: nodes send on what passed their guards.
        config = RunnableConfig(run_name=self.name, tags=[TAG_NOSTREAM])
        stream = self._client.astream(messages, config, **options)
        finished = False
        chunks = characters = 0
        try:
            async for chunk in stream:
                assert isinstance(chunk, AIMessageChunk)
                chunks, characters = chunks + 1, characters + len(chunk.text)
                if _endless(chunks, characters, options["max_tokens"]):
                    raise MalformedReplyError("the answer goes on far beyond its limit")
                finished = finished or bool(chunk.response_metadata.get("finish_reason"))
                yield chunk
        except _UNREADABLE as error:
            raise MalformedReplyError(str(error)) from error
        if not finished:
            raise MalformedReplyError("the stream ended early")

    def _options(self, request: ChatRequest) -> dict[str, Any]:
        temperature = self._role.temperature if request.temperature is None else request.temperature
        options: dict[str, Any] = {
            "max_tokens": min(request.max_tokens or self._role.max_tokens, self._role.max_tokens),
            "temperature": temperature,
        }
        if request.stop:
            options["stop"] = list(request.stop)
        if request.top_logprobs:
            options |= {"logprobs": True, "top_logprobs": request.top_logprobs}
        extra: dict[str, Any] = {}
        if request.json_schema is not None:
            # In the body itself: langchain-openai parses `response_format` answers and raises on truncated ones.
            schema = {"name": "reply", "schema": dict(request.json_schema)}
            extra["response_format"] = {"type": "json_schema", "json_schema": schema}
        if request.grammar is not None and self.supports_grammar:
            extra["grammar"] = request.grammar
        if extra:
            options["extra_body"] = extra
        return options

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

    def _usage(self, prompt_tokens: int, completion_tokens: int) -> Usage:
        cost = (
            prompt_tokens * self._endpoint.price_per_1k_input + completion_tokens * self._endpoint.price_per_1k_output
        )
        return Usage(prompt_tokens, completion_tokens, cost / 1000)


class ModelGateway:
    """All roles of a catalog. Owns the embedded server."""

    def __init__(self, catalog: Catalog) -> None:
        """Start what the catalog needs; blocks about a second when a role is embedded.

        Raises:
            ModelFileError: the packaged model is missing or corrupt.
        """
        self.catalog = catalog
        self._servers: dict[str, EmbeddedServer] = {}
        self._breakers = {name: CircuitBreaker() for name in catalog.endpoints}
        self._chains = {
            role: ModelChain([self.bind(model) for model in config.models]) for role, config in catalog.roles.items()
        }

    def chain(self, role: Role) -> ModelChain[RoleModel]:
        """The models that serve a role: its own and those that stand in for it."""
        return self._chains[role]

    def role(self, role: Role) -> RoleModel:
        """The model that serves a role while all is well."""
        return self._chains[role].models[0]

    def breaker(self, endpoint: str) -> CircuitBreaker:
        """The circuit breaker of an endpoint."""
        return self._breakers[endpoint]

    def close(self) -> None:
        """Stop the embedded servers."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()

    def bind(self, role: ModelConfig, base_url: str | None = None) -> RoleModel:
        """A model at its endpoint, or at another address that serves the same model (with an adapter)."""
        endpoint = self.catalog.endpoints[role.endpoint]
        address = base_url or self._base_url(role.endpoint, endpoint)
        return RoleModel(role, endpoint, address, self._breakers[role.endpoint])

    def _base_url(self, name: str, endpoint: EndpointConfig) -> str:
        if endpoint.kind != "embedded":
            return str(endpoint.base_url)
        if name not in self._servers:
            self._servers[name] = EmbeddedServer(LANGUAGE_MODEL.verify(), endpoint)
        return self._servers[name].base_url


def _endless(chunks: int, characters: int, max_tokens: int) -> bool:
    return chunks > max_tokens + _SPARE_CHUNKS or characters > max_tokens * _CHARS_PER_TOKEN + _SPARE_CHARS


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


def _client(endpoint: EndpointConfig, base_url: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        base_url=base_url,
        api_key=_api_key(endpoint),
        timeout=openai.Timeout(endpoint.timeout_s, connect=_CONNECT_TIMEOUT_S),
        max_retries=0,
        # The embedded server listens on loopback, whatever proxy the environment names.
        http_client=openai.DefaultAsyncHttpxClient(trust_env=endpoint.kind != "embedded"),
    )


def _api_key(endpoint: EndpointConfig) -> str:
    key = os.environ.get(endpoint.api_key_env, "") if endpoint.api_key_env else ""
    # The OpenAI client refuses to start without a key, also for servers that need none.
    return key or "none"
