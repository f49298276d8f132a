"""Streams as they come over the wire, whole or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from tests.reliability.wire import Answer, RefusedError, asked

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
FIRST = b'id: r:1\nevent: run\ndata: {"a": 1}\n\n'
SECOND = b"id: r:2\nevent: end\ndata: {}\n\n"


def chunk(body: bytes) -> bytes:
    return f"{len(body):x}\r\n".encode() + body + b"\r\n"


@asynccontextmanager
async def answering(head: bytes, *parts: bytes) -> AsyncIterator[str]:
    """A server that says this and goes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.writelines([head, *parts])
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def seen(answer: Answer) -> Sequence[tuple[int, str, str]]:
    return [(frame.seq, frame.name, frame.data) for frame in answer.frames()]


@pytest.mark.parametrize("cut", [*range(len(chunk(FIRST)) + len(chunk(SECOND))), 1000])
async def test_only_whole_events_count_wherever_the_cut_falls(cut: int) -> None:
    async with answering(HEAD, chunk(FIRST), chunk(b": ping\n\n"), chunk(SECOND)) as url, asked(url, "/") as answer:
        await answer.read(cut)
    whole = [(1, "run", '{"a": 1}'), (2, "end", "{}")]
    assert seen(answer) == whole[: len(seen(answer))]
    if cut < len(FIRST):
        assert seen(answer) == []
    if cut == 1000:
        assert answer.ended
        assert [frame.raw for frame in answer.frames()] == [FIRST[:-2], SECOND[:-2]]


async def test_an_event_across_two_chunks_is_whole() -> None:
    async with answering(HEAD, chunk(FIRST[:9]), chunk(FIRST[9:])) as url, asked(url, "/") as answer:
        await answer.read_all()
    assert seen(answer) == [(1, "run", '{"a": 1}')]


async def test_a_refusal_is_no_stream() -> None:
    head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n"
    async with answering(head, b"{}") as url, asked(url, "/") as answer:
        await answer.read_all()
        with pytest.raises(RefusedError, match="404"):
            answer.frames()
