"""One run's work: the graph, streamed into the run's events."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

from langchain_core.runnables import RunnableConfig

from agent.nodes.events import NodeEvent
from agent.state import GraphInput
from graphs.switchyard import Switchyard
from server.runs.live import GraphCall, LiveRun
from server.traces import RunTrace


async def work(graph: Switchyard, run: LiveRun, trace: RunTrace) -> None:
    """Run the graph and record what it streams; the result follows when the turn is part of the thread's memory."""
    config = _config(run)
    call = run.request.call
    stream = _new_turn(graph, run, config) if call is None else _called(graph, run, config, call)
    async for namespace, mode, item in stream:
        if mode == "custom" and not namespace:
            _hear(run, NodeEvent(**item))
        if call is not None:
            for name, data in call.recorder.record(namespace, mode, item):
                run.log.append_json(name, data)
    if call is not None:
        run.state = await graph.aget_state(_config(run, forget_checkpoint=True))
    _finish(run, trace)


def _config(run: LiveRun, *, forget_checkpoint: bool = False) -> RunnableConfig:
    call = run.request.call
    checkpoint = {} if call is None or forget_checkpoint else dict(call.checkpoint)
    return RunnableConfig(
        configurable={**checkpoint, "thread_id": run.row.thread_id},
        run_name="switchyard",
        metadata={**run.row.metadata, "run_id": run.run_id, "thread_id": run.row.thread_id},
    )


async def _new_turn(
    graph: Switchyard, run: LiveRun, config: RunnableConfig
) -> AsyncIterator[tuple[tuple[str, ...], str, Any]]:
    history = await _history(graph, run, config)
    messages = GraphInput(messages=[*history, ("user", run.request.message)])  # pyright: ignore[reportArgumentType]
    # One checkpoint a run, at its end: the run's row is already on disk, and a run that is cut off leaves its
    # thread as it was instead of half a turn further on.
    stream = graph.astream(messages, config, context=run.request.context, stream_mode="custom", durability="exit")
    async for item in stream:
        yield (), "custom", item


async def _called(
    graph: Switchyard, run: LiveRun, config: RunnableConfig, call: GraphCall
) -> AsyncIterator[tuple[tuple[str, ...], str, Any]]:
    stream: AsyncIterator[Any] = graph.astream(
        call.input,
        config,
        context=run.request.context,
        stream_mode=list(dict.fromkeys(("custom", *call.modes))),
        subgraphs=True,
        durability=call.durability,
        interrupt_before=call.interrupt_before or None,
        interrupt_after=call.interrupt_after or None,
    )
    async for namespace, mode, item in stream:
        if call.subgraphs or not namespace:
            yield namespace, mode, item


async def _history(graph: Switchyard, run: LiveRun, config: RunnableConfig) -> tuple[tuple[str, str], ...]:
    """The earlier turns that the caller sent, unless the thread remembers its own."""
    if not run.request.history:
        return ()
    known = (await graph.aget_state(config)).values
    return () if known else run.request.history


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
    run.result = {**ids, **run.result, "timings": timings}
    if run.request.call is None:
        run.log.append("result", run.result)
    trace.finish(run.result)
