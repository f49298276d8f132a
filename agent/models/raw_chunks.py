"""Streamed chat completions as the JSON objects they are, over connections that are used again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Any, cast

import httpx2
import openai
from openai._streaming import ServerSentEvent

_LAST_BYTES_S = 1.0
_DONE = "[DONE]"
_TEXT_KEYS = {"role", "content"}
_BLANK_LINES = (b"\n\n", b"\r\n\r\n", b"\r\r")


class _WholeStream(openai.AsyncStream[object]):
    """Reads the body to its end after `[DONE]`: closed before it, the connection could not serve another call.

    Pieces of text that arrive together are one chunk: under load the rest of the way costs more than reading them.
    """

    _more_arrived = False

    async def _iter_events(self) -> AsyncIterator[ServerSentEvent]:
        reads = self._reads()
        async for arrived in reads:
            for event, following in zip_longest(arrived, arrived[1:]):
                if event.data == _DONE:
                    with suppress(TimeoutError, httpx2.HTTPError):
                        async with asyncio.timeout(_LAST_BYTES_S):
                            async for _ in reads:
                                pass
                self._more_arrived = following is not None and following.data != _DONE
                yield event

    async def _reads(self) -> AsyncIterator[list[ServerSentEvent]]:
        """The events that each read of the connection completes."""
        rest = b""
        async for data in self.response.aiter_bytes():
            whole, rest = _whole_events(rest + data)
            yield [event async for event in self._decoder.aiter_bytes(_once(whole))]

    async def __stream__(self) -> AsyncIterator[object]:
        held: list[object] = []
        async for chunk in super().__stream__():
            held.append(chunk)
            if not self._more_arrived:
                for joined in joined_texts(held):
                    yield joined
                held.clear()
        for joined in joined_texts(held):
            yield joined


def joined_texts(chunks: Sequence[object]) -> list[object]:
    """The chunks, with those that follow each other and carry nothing but text as one."""
    joined: list[object] = []
    for chunk in chunks:
        added = _text_of(chunk)
        before = _text_of(joined[-1]) if joined and added is not None else None
        if added is None or before is None:
            joined.append(chunk)
            continue
        first = cast("dict[str, Any]", joined[-1])
        [choice] = first["choices"]
        joined[-1] = {**first, "choices": [{**choice, "delta": {**choice["delta"], "content": before + added}}]}
    return joined


def _text_of(chunk: Any) -> str | None:
    """The text of a chunk that carries nothing else: no end, no log-probabilities, no usage, no tool call."""
    match chunk:
        case {"choices": [{"delta": {"content": str(text)}}]} if not chunk.get("usage"):
            [choice] = chunk["choices"]
            plain = choice["delta"].keys() <= _TEXT_KEYS and not choice.get("finish_reason")
            return text if plain and not choice.get("logprobs") else None
        case _:
            return None


def _whole_events(data: bytes) -> tuple[bytes, bytes]:
    """Data up to its last blank line, and the rest."""
    end = max(data.rfind(blank) + len(blank) if blank in data else 0 for blank in _BLANK_LINES)
    return data[:end], data[end:]


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


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
