"""Streamed chat completions as the JSON objects they are, over connections that are used again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import httpx2
import openai
from openai._streaming import ServerSentEvent

_LAST_BYTES_S = 1.0


class _WholeStream(openai.AsyncStream[object]):
    """Reads the body to its end after `[DONE]`: closed before it, the connection could not serve another call."""

    async def _iter_events(self) -> AsyncIterator[ServerSentEvent]:
        events = super()._iter_events()
        async for event in events:
            if event.data == "[DONE]":
                with suppress(TimeoutError, httpx2.HTTPError):
                    async with asyncio.timeout(_LAST_BYTES_S):
                        async for _ in events:
                            pass
            yield event


class RawChunkCompletions:
    """What `ChatOpenAI` calls as `async_client`: the OpenAI client's `chat.completions`, for streams alone.

    The client makes an object tree of each chunk, which langchain-openai at once turns back into the dict that came;
    for short chunks that took more processor time than everything else in a call.
    """

    def __init__(self, client: openai.AsyncOpenAI) -> None:
        """Send through `client`: its address, key, time-outs and errors."""
        self._client = client

    async def create(self, *, extra_body: Mapping[str, Any] | None = None, **body: Any) -> openai.AsyncStream[object]:
        """Start a streamed completion; each item is one chunk as parsed JSON.

        Raises:
            openai.APIError: the endpoint refused, failed or does not answer.
        """
        return await self._client.post(
            "/chat/completions",
            body={**body, **(extra_body or {})},
            cast_to=object,
            stream=True,
            stream_cls=_WholeStream,
        )
