from __future__ import annotations

import json

import httpx
import pytest

from eval.bench.chats import Chat, stream_chat


async def streamed(**result: object) -> Chat:
    """A chat whose only event but the end is this result."""
    frames = [("result", json.dumps(result)), ("end", "{}")]
    text = "".join(f"id: r:{seq}\nevent: {name}\ndata: {data}\n\n" for seq, (name, data) in enumerate(frames, 1))
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=text))
    async with httpx.AsyncClient(base_url="http://127.0.0.1", transport=transport) as client:
        return await stream_chat(client, "How long?")


@pytest.mark.parametrize("cached", [True, False])
async def test_an_answer_from_the_cache_counts_as_an_error(cached: bool) -> None:
    chat = await streamed(answer="120 days.", cached=cached)
    assert chat.complete
    assert ("cache" in (chat.error or "")) is cached
