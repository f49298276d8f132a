"""Threads, runs, states and the assistant as LangGraph's clients read them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import Interrupt, StateSnapshot

from server.runs.rows import RunRow, RunStatus, ThreadRow

GRAPH_ID = "switchyard"
# As the reference server names the assistant that comes with a graph.
ASSISTANT_ID = str(uuid.uuid5(uuid.UUID("6ba7b821-9dad-11d1-80b4-00c04fd430c8"), GRAPH_ID))

JsonObject = dict[str, Any]

# With a run's metadata and those of its checkpoints.
RUN_METADATA: JsonObject = {"graph_id": GRAPH_ID, "assistant_id": ASSISTANT_ID, "created_by": "system"}
_FAILED = {"error": "run_failed", "message": "The last run ended with an error."}
_STATUS: dict[RunStatus, str] = {
    "pending": "pending",
    "running": "running",
    "success": "success",
    "error": "error",
    "cancelled": "interrupted",
}


def moment(seconds: float) -> str:
    """A time of the database as ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def assistant_view(created_at: float) -> JsonObject:
    """The one assistant: the graph."""
    return {
        "assistant_id": ASSISTANT_ID,
        "graph_id": GRAPH_ID,
        "name": GRAPH_ID,
        "description": None,
        "config": {},
        "context": {},
        "metadata": {"created_by": "system"},
        "version": 1,
        "created_at": moment(created_at),
        "updated_at": moment(created_at),
    }


def run_view(row: RunRow) -> JsonObject:
    """A run."""
    return {
        "run_id": row.run_id,
        "thread_id": row.thread_id,
        "assistant_id": ASSISTANT_ID,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.finished_at or row.created_at),
        "metadata": {**RUN_METADATA, **row.metadata},
        "status": _STATUS[row.status],
        "kwargs": row.input,
        "multitask_strategy": row.strategy,
    }


def thread_metadata(row: ThreadRow) -> JsonObject:
    """A thread's metadata; one that holds a message names the graph that it is of."""
    graph = {"graph_id": GRAPH_ID, "assistant_id": ASSISTANT_ID} if row.title else {}
    return {**graph, **row.metadata}


def thread_view(row: ThreadRow, state: StateSnapshot) -> JsonObject:
    """A thread with its state."""
    view = {
        "thread_id": row.thread_id,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "state_updated_at": moment(row.updated_at),
        "metadata": thread_metadata(row),
        "config": {},
        "status": row.status,
        "values": state.values or None,
    }
    if not row.title:
        return view
    interrupts = {task.id: _interrupts(task.interrupts) for task in state.tasks if task.interrupts}
    return {**view, "interrupts": interrupts, "error": _FAILED if row.status == "error" else None}


def state_view(state: StateSnapshot) -> JsonObject:
    """A thread's state at a checkpoint."""
    checkpoint, parent = checkpoint_view(state.config), checkpoint_view(state.parent_config)
    return {
        "values": state.values,
        "next": state.next,
        "tasks": [
            {
                "id": task.id,
                "name": task.name,
                "path": task.path,
                "error": None if task.error is None else "internal_error",
                "interrupts": _interrupts(task.interrupts),
                "checkpoint": None,
                "state": None,
                "result": task.result,
            }
            for task in state.tasks
        ],
        "metadata": state.metadata and {**state.metadata, **_thread_of(state.config)},
        "created_at": state.created_at,
        "checkpoint": checkpoint,
        "parent_checkpoint": parent,
        "interrupts": _interrupts(state.interrupts),
        "checkpoint_id": checkpoint and checkpoint["checkpoint_id"],
        "parent_checkpoint_id": parent and parent["checkpoint_id"],
    }


def checkpoint_view(config: RunnableConfig | None) -> JsonObject | None:
    """Which checkpoint a config names, as clients send it back; none where it names none."""
    named = (config or {}).get("configurable", {})
    if not named.get("checkpoint_id"):
        return None
    return {
        "thread_id": named["thread_id"],
        "checkpoint_ns": named.get("checkpoint_ns") or "",
        "checkpoint_id": named["checkpoint_id"],
    }


def _thread_of(config: RunnableConfig) -> JsonObject:
    return {"thread_id": config.get("configurable", {}).get("thread_id")}


def _interrupts(found: Sequence[Interrupt]) -> list[JsonObject]:
    return [{"id": one.id, "value": one.value} for one in found]
