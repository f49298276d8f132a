"""Event streams as they come over the wire: read in pieces, cut off anywhere, taken apart later.

An HTTP library would hide where the cut falls, and cost the reader of hundreds of streams more than the server spends.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import h11

_HEAD_END = b"\r\n\r\n"
_FIRST_EVENT_END = b"\n\n"
_MOST = 2**16


class RefusedError(Exception):
    """The server answered with another status than 200."""


@dataclass(frozen=True)
class Frame:
    """A whole event, with the bytes that it came in."""

    seq: int
    name: str
    data: str
    raw: bytes

    @property
    def run_id(self) -> str:
        """The run, as its first event names it."""
        return json.loads(self.data)["run_id"]


@dataclass
class Answer:
    """An answer that is being read; `raw` are its bytes so far."""

    _reader: asyncio.StreamReader
    raw: bytearray = field(default_factory=bytearray)
    ended: bool = False

    async def read_first_event(self) -> None:
        """Read until the first event is whole, at least."""
        try:
            self.raw += await self._reader.readuntil(_FIRST_EVENT_END)
        except asyncio.IncompleteReadError as cut:
            self._end(cut.partial)

    async def read(self, count: int) -> None:
        """Read so many bytes, or to the end if it comes before."""
        try:
            self.raw += await self._reader.readexactly(count)
        except asyncio.IncompleteReadError as cut:
            self._end(cut.partial)

    async def read_all(self) -> None:
        """Read to the end."""
        while data := await self._reader.read(_MOST):
            self.raw += data
        self.ended = True

    def body(self) -> bytes:
        """The body as far as it has come.

        Raises:
            RefusedError: the status is not 200.
        """
        parser, body = h11.Connection(h11.CLIENT), bytearray()
        # The parser takes an answer only after a question.
        parser.send(h11.Request(method="GET", target="/", headers=[("Host", "server")]))
        parser.receive_data(bytes(self.raw))
        while True:
            event = parser.next_event()
            if isinstance(event, h11.Response) and event.status_code != 200:
                raise RefusedError(f"{event.status_code}: {bytes(self.raw)[-500:]!r}")
            if isinstance(event, h11.Data):
                body += event.data
            if event is h11.NEED_DATA or isinstance(event, h11.EndOfMessage):
                return bytes(body)

    def frames(self) -> list[Frame]:
        """The events that came whole; comments, which keep the connection open, are left out."""
        whole, _, _ = self.body().rpartition(b"\n\n")
        return [frame for block in whole.split(b"\n\n") if (frame := _frame(block)) is not None]

    def _end(self, rest: bytes) -> None:
        self.raw += rest
        self.ended = True


@asynccontextmanager
async def asked(
    url: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    receive_bytes: int | None = None,
) -> AsyncIterator[Answer]:
    """Sends a request (POST if it has a `body`) and yields its answer, head read; the connection ends with the block.

    `receive_bytes` bounds what the system takes in for a reader that does not read.
    """
    place = urlsplit(url)
    channel = socket.socket()
    if receive_bytes is not None:
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    channel.setblocking(False)
    await asyncio.get_running_loop().sock_connect(channel, (place.hostname, place.port))
    reader, writer = await asyncio.open_connection(sock=channel, limit=receive_bytes or _MOST)
    try:
        writer.write(_request(place.netloc, path, body, headers or {}))
        answer = Answer(reader)
        answer.raw += await reader.readuntil(_HEAD_END)
        yield answer
    finally:
        # At once, as a client does that is gone: what is under way is not waited for.
        writer.transport.abort()


def _request(host: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


def _frame(block: bytes) -> Frame | None:
    fields = dict(line.split(": ", 1) for line in block.decode().split("\n") if not line.startswith(":") and line)
    if "event" not in fields:
        return None
    return Frame(int(fields["id"].rpartition(":")[2]), fields["event"], fields["data"], block)
