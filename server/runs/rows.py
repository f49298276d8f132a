"""Rows of threads and runs, as the rest of the server sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

RunStatus = Literal["pending", "running", "success", "error", "cancelled"]
ThreadStatus = Literal["idle", "busy", "interrupted", "error"]
Strategy = Literal["enqueue", "reject", "interrupt", "rollback"]
"""What becomes of a thread's unfinished runs when another one comes, as LangGraph's `multitask_strategy` has it."""
UNFINISHED: tuple[RunStatus, ...] = ("pending", "running")


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
    """Whether a thread made for this run goes with it."""


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
