"""Server-sent events, read as they arrive (WHATWG HTML, section 9.2; lines end in LF or CRLF)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ServerSentEvent:
    """One event. `id` is the last id seen on the stream."""

    name: str
    data: str
    id: str


@dataclass
class _Frame:
    name: str = "message"
    lines: list[str] = field(default_factory=list[str])


async def read_events(chunks: AsyncIterable[str]) -> AsyncGenerator[ServerSentEvent]:
    """The events of a stream of text that may be cut anywhere; an event cut off by the end is dropped.

    Lines are split by hand: `str.splitlines`, and httpx's `aiter_lines` with it, also splits at U+2028 and its like,
    which JSON may hold.
    """
    rest, last_id, frame = "", "", _Frame()
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split("\n")
        for line in lines:
            name, _, value = line.removesuffix("\r").partition(":")
            value = value.removeprefix(" ")
            if not name and not value and line in ("", "\r"):
                if frame.lines:
                    yield ServerSentEvent(frame.name, "\n".join(frame.lines), last_id)
                frame = _Frame()
            elif name == "data":
                frame.lines.append(value)
            elif name == "event":
                frame.name = value
            elif name == "id":
                last_id = value
