"""A run's events: numbered without gaps from 1, ending with exactly one `end`.

Readers see an event once it is on disk, never before: what somebody has seen under a number stays under that number,
also when the process is killed and another one goes on with the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from tools.errors import InputError

EventName = Literal["run", "restart", "route", "status", "token", "result", "error", "gap", "end"]
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


def _nobody(_: EventLog) -> None:
    """Nobody writes the log's events until the run ends."""


@dataclass
class EventLog:
    """The events of a live run, in memory; every reader has a cursor of its own.

    `written` events are on disk. `announce` is called when there are more, for somebody to write them.
    """

    run_id: str
    events: list[RunEvent] = field(default_factory=list[RunEvent])
    written: int = 0
    announce: Callable[[EventLog], None] = _nobody
    size: int = 0
    """Characters of the events' data."""
    given_up: bool = False
    """Whether another process goes on with the run: this log gets no further events."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.size = sum(len(event.data) for event in self.events)

    @property
    def ended(self) -> bool:
        """Whether the terminal event is there; nothing is appended after it."""
        return bool(self.events) and self.events[-1].name == TERMINAL

    @property
    def unwritten(self) -> Sequence[RunEvent]:
        """The events that are not on disk, or not known to be."""
        return self.events[self.written :]

    def append(self, name: EventName, data: Mapping[str, Any]) -> None:
        """Add an event."""
        self.append_json(name, orjson.dumps(data).decode())

    def append_json(self, name: str, data: str) -> None:
        """Add an event whose data is JSON already."""
        self._extend(self.following([(name, data)]))
        self.announce(self)

    def following(self, told: Sequence[tuple[str, str]]) -> list[RunEvent]:
        """What would be the next events, from names and data; they are not added."""
        assert not self.ended, "an ended run has no further events"
        return [RunEvent(self.run_id, seq, name, data) for seq, (name, data) in enumerate(told, len(self.events) + 1)]

    def confirm(self, up_to: int) -> None:
        """Show readers the events up to this number, which are on disk now."""
        if up_to > self.written:
            self.written = up_to
            self._wake()

    def close(self, last: Sequence[RunEvent]) -> None:
        """Add the last events, up to the terminal one; they and all before are on disk."""
        self._extend(last)
        self.confirm(len(self.events))

    def give_up(self) -> None:
        """Send the readers away: the run goes on elsewhere."""
        self.given_up = True
        self._wake()

    async def follow(self, after: int = 0) -> AsyncGenerator[Sequence[RunEvent]]:
        """The events from `after` + 1 on, in batches as they come; ends with the terminal one or when given up."""
        position = after
        while True:
            changed = self._changed
            if arrived := self.events[position : self.written]:
                position += len(arrived)
                yield arrived
            # More may have come while the reader was busy with these.
            elif self.given_up or (self.ended and self.written == len(self.events)):
                return
            else:
                await changed.wait()

    def _extend(self, events: Sequence[RunEvent]) -> None:
        self.events.extend(events)
        self.size += sum(len(event.data) for event in events)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def first_event(run_id: str, thread_id: str) -> RunEvent:
    """What every run begins with; it is written together with the run."""
    return RunEvent(run_id, 1, "run", orjson.dumps({"run_id": run_id, "thread_id": thread_id}).decode())


def with_gap(run_id: str, after: int, stored: Sequence[RunEvent]) -> Sequence[RunEvent]:
    """Stored events after number `after`, led by a `gap` where the first of them were pruned.

    The gap's number is that of the last event missing, so that a reader goes on after it as after any other.
    """
    if not stored or stored[0].seq == after + 1:
        return stored
    missing = {"first": after + 1, "last": stored[0].seq - 1}
    return [RunEvent(run_id, missing["last"], "gap", orjson.dumps(missing).decode()), *stored]


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
