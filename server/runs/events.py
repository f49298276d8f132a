"""A run's events: numbered without gaps from 1, ending with exactly one `end`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from tools.errors import InputError

EventName = Literal["run", "route", "status", "token", "result", "error", "end"]
TERMINAL: EventName = "end"


@dataclass(frozen=True)
class RunEvent:
    """One event. `data` is its JSON, encoded once for the stream and for the database."""

    run_id: str
    seq: int
    name: str
    data: str

    @property
    def id(self) -> str:
        """The event's id on the wire, which a reader sends back to go on after it."""
        return f"{self.run_id}:{self.seq}"


@dataclass
class EventLog:
    """The events of a live run, in memory; every reader has a cursor of its own."""

    run_id: str
    events: list[RunEvent] = field(default_factory=list[RunEvent])
    size: int = 0
    """Characters of the events' data."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ended(self) -> bool:
        """Whether the terminal event is there; nothing is appended after it."""
        return bool(self.events) and self.events[-1].name == TERMINAL

    def append(self, name: EventName, data: Mapping[str, Any]) -> RunEvent:
        """Add an event and wake the readers."""
        return self.append_json(name, orjson.dumps(data).decode())

    def append_json(self, name: str, data: str) -> RunEvent:
        """Add an event whose data is JSON already, and wake the readers."""
        assert not self.ended, "an ended run has no further events"
        event = RunEvent(self.run_id, len(self.events) + 1, name, data)
        self.events.append(event)
        self.size += len(data)
        self._changed.set()
        self._changed = asyncio.Event()
        return event

    async def follow(self, after: int = 0) -> AsyncGenerator[Sequence[RunEvent]]:
        """The events from `after` + 1 on, up to the terminal one: as they come, those together that are there."""
        position = after
        while True:
            changed = self._changed
            if arrived := self.events[position:]:
                position += len(arrived)
                yield arrived
            # More may have come while the reader was busy with these.
            elif self.ended:
                return
            else:
                await changed.wait()


def parse_cursor(run_id: str, last_event_id: str | None, after: int | None) -> int:
    """The number of the last event a reader has, from `Last-Event-ID: <run_id>:<seq>` or `?after=<seq>`.

    Raises:
        InputError: the cursor is not one of this run.
    """
    if last_event_id is None or not last_event_id.strip():
        return after or 0
    owner, separator, seq = last_event_id.strip().rpartition(":")
    if not separator or owner != run_id or not seq.isascii() or not seq.isdecimal() or len(seq) > 12:
        raise InputError(
            f"Last-Event-ID must be {run_id}:<number>, as the events' ids are.",
            code="invalid_cursor",
            value=last_event_id,
        )
    return int(seq)
