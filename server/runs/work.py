"""One run's work: the graph, streamed into the run's events."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, cast

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.constants import TAG_HIDDEN, TAG_NOSTREAM

from agent.nodes.events import NodeEvent
from agent.state import GraphInput, TurnContext
from graphs.switchyard import Switchyard
from server.reviews.resume import resumption
from server.reviews.rows import ReviewRow
from server.runs.live import GraphCall, LiveRun
from server.runs.resume import answered, has_begun, is_paused
from server.traces import RunTrace

_UNTOLD = frozenset({TAG_HIDDEN, TAG_NOSTREAM})


async def work(graph: Switchyard, run: LiveRun, trace: RunTrace, review: ReviewRow | None = None) -> None:
    """Run the graph and record what it streams; the result follows when the turn is part of the thread's memory.

    A decided `review` goes into the graph instead of a new message.
    """
    call = run.request.call
    begun = run.attempt > 1 and await has_begun(graph, run)
    if not (begun and call is not None and await is_paused(graph, run, call)):
        config = _config(run, forget_checkpoint=begun)
        given, context = await _given(graph, run, config, review, begun=begun)
        stream = _turn(graph, given, config, context) if call is None else _called(graph, given, config, context, call)
        async for namespace, mode, item in stream:
            if mode == "custom" and not namespace:
                _hear(run, NodeEvent(**item))
            if call is not None:
                for name, data in call.recorder.record(namespace, mode, item):
                    run.log.append_json(name, data)
    if call is not None:
        run.state = await graph.aget_state(_config(run, forget_checkpoint=True))
    if begun and run.result is None:
        run.result = await answered(graph, run)
    _finish(run, trace)


def _config(run: LiveRun, *, forget_checkpoint: bool = False) -> RunnableConfig:
    call = run.request.call
    checkpoint = {} if call is None or forget_checkpoint else dict(call.checkpoint)
    return RunnableConfig(
        configurable={**checkpoint, "thread_id": run.row.thread_id},
        run_id=uuid.UUID(run.run_id),
        run_name="switchyard",
        metadata={**run.row.metadata, "run_id": run.run_id, "thread_id": run.row.thread_id},
    )


async def _given(
    graph: Switchyard, run: LiveRun, config: RunnableConfig, review: ReviewRow | None, *, begun: bool
) -> tuple[Any, TurnContext]:
    """What goes into the graph, and what it is told beside it; nothing where an earlier process had `begun` the run."""
    call = run.request.call
    # Only a decision that is written down may end a review, however a client has the graph go there.
    context = replace(run.request.context, may_decide=review is not None)
    if review is not None:
        command, settles = await resumption(graph, config, review, call.input if call else None)
        return command, replace(context, settles=settles)
    if begun:
        return None, context
    if call is not None:
        return _identified(run, call.input), context
    return GraphInput(messages=cast("Any", await _messages(graph, run, config))), context


async def _turn(
    graph: Switchyard, given: Any, config: RunnableConfig, context: TurnContext
) -> AsyncIterator[tuple[tuple[str, ...], str, Any]]:
    # One checkpoint a run, at its end: the run's row is already on disk, and a run that is cut off leaves its
    # thread as it was instead of half a turn further on.
    stream = graph.astream(given, config, context=context, stream_mode="custom", durability="exit")
    async for item in stream:
        yield (), "custom", item


async def _called(
    graph: Switchyard, given: Any, config: RunnableConfig, context: TurnContext, call: GraphCall
) -> AsyncIterator[tuple[tuple[str, ...], str, Any]]:
    how: dict[str, Any] = {
        "context": context,
        "stream_mode": list(dict.fromkeys(("custom", *call.modes))),
        "subgraphs": True,
        "durability": call.durability,
        "interrupt_before": call.interrupt_before or None,
        "interrupt_after": call.interrupt_after or None,
    }
    stream: AsyncIterator[Any] = (
        _with_callbacks(graph, given, config, how) if call.callbacks else graph.astream(given, config, **how)
    )
    async for namespace, mode, item in stream:
        if call.subgraphs or not namespace:
            yield namespace, mode, item


async def _with_callbacks(
    graph: Switchyard, given: Any, config: RunnableConfig, how: Mapping[str, Any]
) -> AsyncIterator[tuple[tuple[str, ...], str, Any]]:
    """What the graph streams, and what LangChain's callbacks tell of its steps, as items of the mode `events`.

    Calls of models are left out here as in the mode `messages`: their prompts are ours, their words not yet guarded.
    """
    events: AsyncIterator[Any] = graph.astream_events(given, config, version="v2", **how)
    async for event in events:
        if not _UNTOLD.isdisjoint(event.get("tags", [])):
            continue
        if event["event"] == "on_chain_stream" and not event["parent_ids"]:
            yield event["data"]["chunk"]
        else:
            yield (), "events", event


async def _messages(graph: Switchyard, run: LiveRun, config: RunnableConfig) -> list[Any]:
    """The new message, after the earlier turns that the caller sent unless the thread remembers its own."""
    history: tuple[tuple[str, str], ...] = ()
    if run.request.history and not (await graph.aget_state(config)).values:
        history = run.request.history
    return [*history, HumanMessage(run.request.message, id=_message_id(run, "question"))]


def _identified(run: LiveRun, given: Any) -> Any:
    """A call's input whose messages all have ids, so that a run that begins anew does not say them twice."""
    if isinstance(given, dict):
        messages = cast("Mapping[str, list[BaseMessage]]", given).get("messages", [])
        for position, message in enumerate(messages):
            message.id = message.id or _message_id(run, str(position))
    return cast("Any", given)


def _message_id(run: LiveRun, name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{run.run_id}/{name}"))


def _hear(run: LiveRun, item: NodeEvent) -> None:
    name, data = item["event"], item["data"]
    if name == "token" and run.first_token is None:
        run.first_token = time.perf_counter()
    if name == "result":
        run.result = data
    elif run.request.call is None:
        run.log.append(name, data)


def _finish(run: LiveRun, trace: RunTrace) -> None:
    if run.result is None:
        assert run.request.call is not None, "every branch of the graph ends with a result"
        return
    ids = {"run_id": run.run_id, "thread_id": run.row.thread_id, "trace_id": run.row.trace_id}
    timings = {"ttft_ms": run.ttft_ms, "total_ms": run.total_ms}
    run.succeed({**ids, **run.result, "timings": timings}, told=run.request.call is None)
    assert run.result is not None
    trace.finish(run.result)
