"""Streamed chat completions as the JSON objects they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import openai


class RawChunkCompletions:
    """What `ChatOpenAI` calls as `async_client`: the OpenAI client's `chat.completions`, for streams alone.

    The client makes an object tree of each chunk, which langchain-openai at once turns back into the dict that came;
    for short chunks that took more processor time than everything else in a call.
    """

    def __init__(self, client: openai.AsyncOpenAI) -> None:
        """Send through `client`: its address, key, time-outs and errors."""
        self._client = client

    async def create(
        self, *, extra_body: Mapping[str, Any] | None = None, **body: Any
    ) -> openai.AsyncStream[dict[str, Any]]:
        """Start a streamed completion; each item is one chunk as parsed JSON.

        Raises:
            openai.APIError: the endpoint refused, failed or does not answer.
        """
        return await self._client.post(
            "/chat/completions",
            body={**body, **(extra_body or {})},
            cast_to=object,
            stream=True,
            stream_cls=openai.AsyncStream[Any],
        )
