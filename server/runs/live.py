"""A run of this process: what was asked for, how far it is, and how it was stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import orjson
from langgraph.types import StateSnapshot

from agent.models.meter import Meter
from agent.state import TurnContext
from server.runs.events import EventLog
from server.runs.rows import NewRun, RequestKey, Strategy
from tools.errors import SwitchyardError

GraphMode = Literal["values", "updates", "messages", "custom", "debug", "tasks", "checkpoints"]
StopReason = Literal["cancelled", "superseded", "rolled_back", "shutting_down", "lease_lost"]


class Recorder(Protocol):
    """Turns what the graph streams into events, beside those that every run has."""

    def record(self, namespace: Sequence[str], mode: str, item: Any) -> Sequence[tuple[str, str]]:
        """The events, as name and JSON, that an item in a mode of the (sub)graph `namespace` makes."""
        ...


@dataclass(frozen=True)
class GraphCall:
    """How the graph is called when it is not simply a new message: input, modes, where to begin and where to pause.

    `checkpoint` goes on from a checkpoint (its id and namespace) instead of the thread's latest; `body` is the JSON
    that the call was made from, of which it can be made again. With `callbacks`, the recorder also hears what
    LangChain's callbacks tell of every step, as items of the mode `events`.
    """

    input: Any
    recorder: Recorder
    body: Mapping[str, Any]
    modes: tuple[GraphMode, ...] = ()
    subgraphs: bool = False
    callbacks: bool = False
    durability: Literal["sync", "async", "exit"] = "async"
    checkpoint: Mapping[str, str] = field(default_factory=dict[str, str])
    interrupt_before: Sequence[str] | Literal["*"] = ()
    interrupt_after: Sequence[str] | Literal["*"] = ()


@dataclass(frozen=True)
class RunRequest:
    """What a caller wants run. `history` seeds a new thread with earlier turns as (role, text).

    `details` is kept with the run's row; with `temporary`, a thread that this run makes goes some time after the run
    has ended. A request with a `key` that is known already starts nothing; `key_id` names the API key that pays for it.
    `review_of` is the run whose review has been decided: this one carries the decision to the thread.
    """

    owner: str
    message: str
    thread_id: str | None = None
    context: TurnContext = field(default_factory=TurnContext)
    history: tuple[tuple[str, str], ...] = ()
    call: GraphCall | None = None
    strategy: Strategy = "enqueue"
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    temporary: bool = False
    key: RequestKey | None = None
    key_id: str | None = None
    review_of: str | None = None


@dataclass(frozen=True)
class StartedRun:
    """A run that was written down, by this request or by an earlier one with the same key."""

    run_id: str
    thread_id: str


@dataclass
class LiveRun:
    """A run that works, waits for its thread or a free place, or has ended a moment ago."""

    row: NewRun
    request: RunRequest
    log: EventLog
    attempt: int = 1
    """How often the run has begun to work, in this process and those before it."""
    admitted: asyncio.Event = field(default_factory=asyncio.Event)
    started: float = field(default_factory=time.perf_counter)
    first_token: float | None = None
    result: dict[str, Any] | None = None
    error: SwitchyardError | None = None
    meter: Meter = field(default_factory=Meter)
    last_words: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """The result or the error as name and JSON: told together with the end, when both are on disk."""
    state: StateSnapshot | None = None
    """What a `GraphCall` left behind."""
    task: asyncio.Task[None] | None = None
    stop_reason: StopReason | None = None
    begun: bool = False
    closing: bool = False

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.row.run_id

    @property
    def paused(self) -> bool:
        """Whether the graph waits for somebody before its next node."""
        asks = self.result is not None and self.result.get("interrupt") is not None
        return asks or (self.state is not None and bool(self.state.next))

    @property
    def ttft_ms(self) -> float | None:
        """Milliseconds from the start to the first token, if there was one."""
        return None if self.first_token is None else round((self.first_token - self.started) * 1000, 1)

    @property
    def total_ms(self) -> float:
        """Milliseconds since the start."""
        return round((time.perf_counter() - self.started) * 1000, 1)

    def stop(self, reason: StopReason) -> bool:
        """Cancel the work, once, and never while its end is being written; returns whether this call did it."""
        if self.stop_reason is not None or self.closing or self.task is None:
            return False
        self.stop_reason = reason
        # A task that is cancelled before it begins never runs at all, and nobody would write its end.
        if self.begun:
            self.task.cancel()
        return True

    def begin(self) -> None:
        """The work begins, unless it was stopped before that.

        Raises:
            asyncio.CancelledError: it was.
        """
        self.begun = True
        if self.stop_reason is not None:
            raise asyncio.CancelledError

    def succeed(self, result: dict[str, Any], *, told: bool) -> None:
        """End with a result, which readers see if it is to be `told`."""
        self.result = result
        if told:
            self.last_words = [("result", orjson.dumps(result).decode())]

    def fail(self, error: SwitchyardError) -> None:
        """End without a result: readers see the error."""
        self.error, self.result = error, None
        told = {"code": error.code, "message": error.message, "trace_id": self.row.trace_id}
        self.last_words = [("error", orjson.dumps(told).decode())]
