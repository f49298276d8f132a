"""One endpoint's client for one model: the OpenAI protocol over langchain-openai, with retries.

Imported when the first call is made: the OpenAI client's modules take a fifth of a start's time to load.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx2
import openai
from langchain.messages import AIMessageChunk
from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI
from langgraph.constants import TAG_NOSTREAM
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from agent.models.catalog import EndpointConfig, ModelConfig
from agent.models.raw_chunks import RawChunkCompletions
from tools.errors import InputError, ModelUnavailableError
from tools.ports import ChatRequest
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


class EndpointClient:
    """Calls one model. Calls that fail before their first token are tried again, with backoff and full jitter."""

    def __init__(self, name: str, model: ModelConfig, endpoint: EndpointConfig, base_url: str) -> None:
        """Call the model that is served as `name` by the endpoint at `base_url`."""
        self._name = name
        self._model = model
        self._endpoint = endpoint
        self._chat = ChatOpenAI(
            model=name,
            # Whole, so that langchain-openai builds no clients of its own, whose modules take half a second to load.
            async_client=RawChunkCompletions(_client(endpoint, base_url)),
            base_url=base_url,
            max_retries=0,
            stream_usage=True,
            # The client's own time-out bounds each read; a second one would put a task around every chunk.
            stream_chunk_timeout=None,
        )

    async def stream(self, request: ChatRequest) -> AsyncGenerator[AIMessageChunk]:
        """Yield the answer's chunks as they come; the last ones say how it finished.

        Raises:
            ModelUnavailableError: the endpoint failed or timed out.
            InputError: the endpoint refused the request itself, e.g. for its length.
        """
        try:
            async with aclosing(self._attempts(request)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except _REFUSALS as error:
            _log.warning("model %s refused a request: %s", self._name, error)
            raise InputError("The model refused the request; it may be too long.", code="model_refused") from error
        except _ENDPOINT_FAILURES as error:
            _log.warning("model %s failed: %s", self._name, type(error).__name__)
            raise ModelUnavailableError(
                f"The model {self._name} does not answer.", reason=type(error).__name__
            ) from error

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
        config = RunnableConfig(run_name=self._name, tags=[TAG_NOSTREAM])
        stream = self._chat.astream(messages, config, **options)
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
        temperature = self._model.temperature if request.temperature is None else request.temperature
        options: dict[str, Any] = {
            "max_tokens": min(request.max_tokens or self._model.max_tokens, self._model.max_tokens),
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
        if request.grammar is not None and self._endpoint.honours_grammars:
            extra["grammar"] = request.grammar
        if extra:
            options["extra_body"] = extra
        return options


def _endless(chunks: int, characters: int, max_tokens: int) -> bool:
    return chunks > max_tokens + _SPARE_CHUNKS or characters > max_tokens * _CHARS_PER_TOKEN + _SPARE_CHARS


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
