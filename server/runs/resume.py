"""Where a run stands that an earlier process had begun: what its own checkpoints say."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import StateSnapshot

from agent.nodes.events import answer_id
from graphs.switchyard import Switchyard
from server.runs.live import GraphCall, LiveRun


async def has_begun(graph: Switchyard, run: LiveRun) -> bool:
    """Whether the run has made a checkpoint: then it goes on there, and its input is in already."""
    return _of_run(await _state(graph, run), run)


async def is_paused(graph: Switchyard, run: LiveRun, call: GraphCall) -> bool:
    """Whether the run had come to a pause that it was asked to make: to go on would be somebody's answer."""
    state = await _state(graph, run)
    if not state.next:
        return False
    if state.interrupts or _names_any(call.interrupt_before, state.next):
        return True
    stepped = (state.metadata or {}).get("source") == "loop"
    if not call.interrupt_after or not stepped or state.parent_config is None:
        return False
    return _names_any(call.interrupt_after, (await graph.aget_state(state.parent_config)).next)


async def answered(graph: Switchyard, run: LiveRun) -> dict[str, Any] | None:
    """The result that the thread's state holds, if the run's own answer is its last message."""
    values = (await _state(graph, run)).values
    messages = values.get("messages", [])
    return values.get("result") if messages and messages[-1].id == answer_id(run.run_id) else None


async def _state(graph: Switchyard, run: LiveRun) -> StateSnapshot:
    return await graph.aget_state(RunnableConfig(configurable={"thread_id": run.row.thread_id}))


def _of_run(state: StateSnapshot, run: LiveRun) -> bool:
    metadata: Any = state.metadata or {}
    return metadata.get("run_id") == run.run_id


def _names_any(named: Any, nodes: tuple[str, ...]) -> bool:
    return named == "*" or bool(set(named) & set(nodes))
