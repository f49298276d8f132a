"""Rows of threads and runs, as the rest of the server sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tools.ports import Usage

RunStatus = Literal["pending", "running", "success", "error", "cancelled"]
ThreadStatus = Literal["idle", "busy", "interrupted", "error"]
Strategy = Literal["enqueue", "reject", "interrupt", "rollback"]
"""What becomes of a thread's unfinished runs when another one comes, as LangGraph's `multitask_strategy` has it."""
REVIEW_OF = "review_of"
"""In a run's input: the run whose review was decided, of a run that carries the decision to their thread."""
UNFINISHED: tuple[RunStatus, ...] = ("pending", "running")


@dataclass(frozen=True)
class RequestKey:
    """A name that a caller gave a request, so that sending it again starts nothing anew.

    `sha256` is of what was asked for: the same name for something else is a mistake.
    """

    key: str
    sha256: str


@dataclass(frozen=True)
class NewRun:
    """A run as it is written down before anything happens."""

    run_id: str
    thread_id: str
    owner: str
    message: str
    input: Mapping[str, Any]
    trace_id: str
    strategy: Strategy = "enqueue"
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    temporary: bool = False
    """Whether a thread made for this run goes with it, some time after it has ended."""
    plan: Mapping[str, Any] | None = None
    """What it takes, beside the other columns, to drive the run again (see `server.runs.plans`)."""
    request_key: RequestKey | None = None
    key_id: str | None = None
    """The API key that pays for it."""


@dataclass(frozen=True)
class RunRow:
    """A stored run."""

    run_id: str
    thread_id: str
    status: RunStatus
    message: str
    result: dict[str, Any] | None
    error_code: str | None
    trace_id: str
    created_at: float
    finished_at: float | None
    input: Mapping[str, Any]
    strategy: Strategy
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """A person's feedback on a run."""

    score: int
    comment: str | None


@dataclass(frozen=True)
class TurnRow:
    """A run as a turn of its thread, with the documents attached to it and its owner's feedback."""

    run: RunRow
    document_ids: Sequence[str]
    feedback: Verdict | None


@dataclass(frozen=True)
class ThreadRow:
    """A stored thread."""

    thread_id: str
    title: str
    created_at: float
    updated_at: float
    status: ThreadStatus
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """How a run ended: what is written together with its events."""

    status: RunStatus
    result: Mapping[str, Any] | None
    error_code: str | None
    ttft_ms: float | None
    total_ms: float
    paused: bool = False
    """Whether the graph waits for somebody before its next node."""
    spent: Usage = field(default_factory=Usage)
    """What its model calls cost, also those that came to nothing."""
