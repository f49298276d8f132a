from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.raw_chunks import RawChunkCompletions, joined_texts


def chunk(content: str | None = None, **choice: Any) -> dict[str, Any]:
    delta = {} if content is None else {"content": content}
    return {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": None, **choice}]}


USAGE: dict[str, Any] = {"id": "c", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}
CHUNKS = [chunk("Ca"), chunk("rds – "), chunk("ß"), chunk(None, finish_reason="stop"), USAGE]


def body(chunks: Sequence[Any], line_end: str = "\n") -> bytes:
    lines = [f": comment{line_end}", *(f"data: {json.dumps(one, ensure_ascii=False)}{line_end * 2}" for one in chunks)]
    return "".join([*lines, f"data: [DONE]{line_end * 2}"]).encode()


class Pieces(httpx2.AsyncByteStream):
    """A response body that arrives in given reads; `pause` holds it back before one of them."""

    def __init__(self, reads: Sequence[bytes], *, pause_before: int = -1) -> None:
        self.reads = reads
        self.pause_before = pause_before
        self.pause = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for number, read in enumerate(self.reads):
            if number == self.pause_before:
                await self.pause.wait()
            yield read


async def start(stream: Pieces) -> openai.AsyncStream[object]:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=stream)

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    client = openai.AsyncOpenAI(base_url="http://model/v1", api_key="none", http_client=http, max_retries=0)
    return await RawChunkCompletions(client).create(model="m", messages=[])


async def received(*reads: bytes) -> list[Any]:
    return [item async for item in await start(Pieces(reads))]


def text(chunks: Sequence[Any]) -> str:
    return "".join(one["choices"][0]["delta"].get("content", "") for one in chunks if one["choices"])


async def test_text_that_arrives_together_is_one_chunk() -> None:
    assert await received(body(CHUNKS)) == [chunk("Cards – ß"), *CHUNKS[3:]]


async def test_text_that_arrives_apart_stays_apart() -> None:
    reads = [f"data: {json.dumps(one)}\n\n".encode() for one in CHUNKS]
    assert await received(*reads, b"data: [DONE]\n\n") == CHUNKS


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
async def test_reads_may_end_anywhere(line_end: str) -> None:
    sent = body(CHUNKS, line_end)
    for size in (1, 2, 7, 64, len(sent)):
        got = await received(*(sent[i : i + size] for i in range(0, len(sent), size)))
        assert text(got) == text(CHUNKS)
        assert got[-2:] == CHUNKS[-2:]


async def test_text_is_not_held_back_until_the_next_read() -> None:
    stream = Pieces([body(CHUNKS[:2])[: -len(b"data: [DONE]\n\n")], body(CHUNKS[2:])], pause_before=1)
    chunks = (await start(stream)).__aiter__()
    assert await asyncio.wait_for(anext(chunks), 5) == chunk("Cards – ")
    stream.pause.set()
    assert await asyncio.wait_for(anext(chunks), 5) == chunk("ß")


async def test_text_is_not_held_back_until_the_body_ends() -> None:
    stream = Pieces([body([chunk("a"), chunk("b")]), b""], pause_before=1)
    chunks = (await start(stream)).__aiter__()
    assert await asyncio.wait_for(anext(chunks), 0.5) == chunk("ab")


async def test_an_error_in_the_stream_is_raised() -> None:
    with pytest.raises(openai.APIError, match="out of memory"):
        await received(body([chunk("a"), {"error": {"message": "out of memory"}}]))


OTHERS: list[Any] = [
    chunk("b", finish_reason="length"),
    chunk("b", logprobs={"content": [{"token": "b"}]}),
    chunk("b") | {"usage": {"prompt_tokens": 1}},
    chunk("b") | {"choices": [{"index": 0, "delta": {"content": "b", "tool_calls": [{}]}}]},
    chunk("b") | {"choices": []},
    chunk("b") | {"choices": "none"},
    ["not", "an", "object"],
    None,
]


@pytest.mark.parametrize("other", OTHERS)
def test_chunks_that_carry_anything_else_stay_as_they_are(other: Any) -> None:
    assert joined_texts([chunk("a"), other, chunk("c")]) == [chunk("a"), other, chunk("c")]


def test_the_role_of_the_first_chunk_is_kept() -> None:
    first = chunk("") | {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}
    assert joined_texts([first, chunk("a")])[0] == {
        "id": "c",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": "a"}}],
    }


@given(st.lists(st.one_of(st.text(max_size=3).map(chunk), st.just(USAGE), st.just(CHUNKS[3]))))
def test_no_text_is_lost_or_moved(chunks: list[dict[str, Any]]) -> None:
    before = json.dumps(chunks)
    joined = joined_texts(chunks)
    assert text(joined) == text(chunks)
    assert json.dumps(chunks) == before
    assert len(joined) <= len(chunks)
