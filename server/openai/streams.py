"""Run events as chunks of a chat completion."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

import orjson

from server.openai.completions import DONE, Chunks, data_frame
from server.openai.errors import openai_error
from server.openai.settled import SettledText
from server.runs.events import RunEvent


async def completion_frames(
    events: AsyncIterator[Sequence[RunEvent]], chunks: Chunks, text: SettledText
) -> AsyncGenerator[bytes]:
    """The chunks of a run, from its first event on, each batch in one write; `[DONE]` comes last, also after errors."""
    async for arrived in events:
        if frames := b"".join(_frame(event.name, orjson.loads(event.data), chunks, text) for event in arrived):
            yield frames


def _frame(name: str, data: dict[str, Any], chunks: Chunks, text: SettledText) -> bytes:
    """The bytes that an event becomes; events that the protocol does not know become none."""
    match name:
        case "run":
            return chunks.opening(data["thread_id"])
        case "restart":
            text.restart()
            return b""
        case "token":
            return _text_frame(text.push(data["text"]), chunks)
        case "result":
            return _text_frame(text.finish(data["answer"]), chunks) + chunks.closing(data)
        case "error":
            # The answer has begun with 200, so the error's own status is not known to the client.
            return data_frame(openai_error(500, data["code"], data["message"]).model_dump())
        case "end":
            return DONE
        case _:
            return b""


def _text_frame(text: str, chunks: Chunks) -> bytes:
    return chunks.text(text) if text else b""
