"""Runs, stores and managers over a graph that a test decides."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from langgraph.graph import END, START, StateGraph

from agent.settings import Settings
from agent.state import GraphInput, GraphState, TurnContext
from server.db.engine import Database
from server.langgraph.graph_calls import graph_call_again
from server.runs.events import RunEvent
from server.runs.manager import RunManager
from server.runs.rows import NewRun, Outcome, RequestKey, Strategy
from server.runs.store import RunStore
from server.thread_states import open_thread_states

DONE = Outcome("success", {}, None, None, 1.0)
Node = Callable[[GraphState], Awaitable[GraphState]]


def new_run(thread_id: str = "thread", strategy: Strategy = "enqueue", key: RequestKey | None = None) -> NewRun:
    return NewRun(
        str(uuid.uuid4()), thread_id, "ann", "hello", {}, uuid.uuid4().hex, strategy=strategy, request_key=key
    )


def event(run: NewRun, seq: int, name: str = "token", data: str = "{}") -> RunEvent:
    return RunEvent(run.run_id, seq, name, data)


async def finish(store: RunStore, run: NewRun, outcome: Outcome = DONE) -> str | None:
    return await store.finish(run, [event(run, 2, "end")], outcome)


@asynccontextmanager
async def managed(
    database: Database, kept: Settings, *, holder: str | None = None, **nodes: Node
) -> AsyncIterator[tuple[RunManager, RunStore]]:
    """A manager, as a process of its own would have it, over a graph of these nodes in their order."""
    async with open_thread_states(kept) as checkpoints:
        builder: Any = StateGraph(GraphState, context_schema=TurnContext, input_schema=GraphInput)
        before = START
        for name, node in nodes.items():
            builder.add_node(name, node)
            builder.add_edge(before, name)
            before = name
        builder.add_edge(before, END)
        store = RunStore(database, holder)
        graph: Any = builder.compile(checkpointer=checkpoints)
        manager = RunManager(graph, store, checkpoints, graph_call_again, max_concurrent=4, max_waiting=4)
        yield manager, store


async def names(manager: RunManager, run_id: str, after: int = 0) -> list[str]:
    """The names of the events that a reader gets, whose numbers follow each other."""
    told = [event async for arrived in manager.follow("ann", run_id, after) for event in arrived]
    assert [event.seq for event in told] == list(range(after + 1, after + 1 + len(told)))
    return [event.name for event in told]
