"""Checkpoints: no half operations, no reader in the way of a writer, runs that can be taken back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

from agent.settings import Settings
from server.checkpoints import Checkpoints
from server.thread_states import open_thread_states
from tests.server.saved import remains, writes


class _State(TypedDict, total=False):
    messages: Annotated[list[Any], add_messages]
    note: str


async def _answer(state: _State) -> dict[str, Any]:
    return {"messages": [("ai", f"answer {len(state['messages'])}")]}


def graph(checkpoints: Checkpoints) -> Any:
    builder = StateGraph(_State)
    builder.add_node("answer", _answer)
    builder.add_edge(START, "answer")
    builder.add_edge("answer", END)
    return builder.compile(checkpointer=checkpoints)


def config(thread_id: str, run_id: str) -> RunnableConfig:
    return RunnableConfig(configurable={"thread_id": thread_id}, metadata={"run_id": run_id})


@pytest.fixture
async def checkpoints(kept: Settings) -> AsyncIterator[Checkpoints]:
    async with open_thread_states(kept) as opened:
        yield opened


async def texts(compiled: Any, thread_id: str) -> list[str]:
    state = await compiled.aget_state({"configurable": {"thread_id": thread_id}})
    return [message.content for message in state.values.get("messages", [])]


async def test_a_run_is_taken_back_and_the_ones_before_it_stay(checkpoints: Checkpoints) -> None:
    compiled = graph(checkpoints)
    for run_id in ("first", "second"):
        await compiled.ainvoke({"messages": [("user", run_id)]}, config("thread", run_id))
        await compiled.ainvoke({"messages": [("user", run_id)]}, config("other", run_id))
    assert await texts(compiled, "thread") == ["first", "answer 1", "second", "answer 3"]
    await checkpoints.delete_run("thread", "second")
    assert await texts(compiled, "thread") == ["first", "answer 1"]
    assert await texts(compiled, "other") == ["first", "answer 1", "second", "answer 3"]
    await compiled.ainvoke({"messages": [("user", "third")]}, config("thread", "third"))
    assert await texts(compiled, "thread") == ["first", "answer 1", "third", "answer 3"]


async def test_a_slow_reader_holds_nobody_up(checkpoints: Checkpoints) -> None:
    compiled = graph(checkpoints)
    await compiled.ainvoke({"messages": [("user", "first")]}, config("thread", "first"))
    async for found in checkpoints.alist({"configurable": {"thread_id": "thread"}}):
        assert found.checkpoint["id"]
        # With the saver as it comes this waits for the reader, who waits for it.
        await asyncio.wait_for(
            compiled.ainvoke({"messages": [("user", "second")]}, config("thread", "second")), timeout=10
        )
        break
    assert len(await texts(compiled, "thread")) == 4


async def test_cancelled_deletions_delete_all_of_a_thread_or_nothing(checkpoints: Checkpoints, kept: Settings) -> None:
    compiled = graph(checkpoints)
    for attempt in range(30):
        thread_id = f"thread-{attempt}"
        await compiled.ainvoke({"messages": [("user", "first")]}, config(thread_id, "first"))
        deletion = asyncio.ensure_future(checkpoints.adelete_thread(thread_id))
        for _ in range(attempt % 10):
            await asyncio.sleep(0)
        deletion.cancel()
        await asyncio.wait([deletion])
        assert len(await texts(compiled, thread_id)) in (0, 2)
    assert await asyncio.to_thread(remains, kept) == 0


async def test_nothing_of_a_run_is_left_behind(checkpoints: Checkpoints, kept: Settings) -> None:
    compiled = graph(checkpoints)
    for run_id in ("first", "second"):
        await compiled.ainvoke({"messages": [("user", run_id)]}, config("thread", run_id))
    await checkpoints.delete_run("thread", "second")
    assert await asyncio.to_thread(remains, kept) == 0
    assert await texts(compiled, "thread") == ["first", "answer 1"]
    await checkpoints.delete_run("thread", "first")
    assert await asyncio.to_thread(writes, kept) == 0
    assert [found async for found in checkpoints.alist({"configurable": {"thread_id": "thread"}})] == []


async def test_a_run_in_which_a_node_has_finished_stays(checkpoints: Checkpoints) -> None:
    compiled = graph(checkpoints)
    await compiled.ainvoke({"messages": [("user", "first")]}, config("thread", "first"))
    await checkpoints.delete_idle_run("thread", "first")
    assert await texts(compiled, "thread") == ["first", "answer 1"]
    await compiled.ainvoke(
        {"messages": [("user", "second")]}, config("thread", "second"), interrupt_before=["answer"], durability="sync"
    )
    await checkpoints.delete_idle_run("thread", "second")
    assert await texts(compiled, "thread") == ["first", "answer 1"]


async def test_what_is_forgotten_takes_its_values_along(checkpoints: Checkpoints, kept: Settings) -> None:
    compiled = graph(checkpoints)
    for thread_id in ("one", "two"):
        for run_id in ("first", "second"):
            await compiled.ainvoke({"messages": [("user", run_id)]}, config(thread_id, run_id))
    everything = time.time() + 60
    before = len([found async for found in checkpoints.alist({"configurable": {"thread_id": "one"}})])
    assert await checkpoints.forget_before(everything, ["two"], 2) == 2
    assert await checkpoints.forget_before(everything, ["two"], 1000) == before - 3
    assert await checkpoints.forget_before(everything, ["two"], 1000) == 0
    assert await checkpoints.forget_before(everything, [], 1000) == before - 1
    assert await asyncio.to_thread(remains, kept) == 0
    for thread_id in ("one", "two"):
        assert await texts(compiled, thread_id) == ["first", "answer 1", "second", "answer 3"]


async def test_a_state_with_nul_characters_is_kept_without_breaking_anything(checkpoints: Checkpoints) -> None:
    compiled = graph(checkpoints)
    given = {"messages": [("user", "a\x00b")], "note": "c\x00\\u0000d"}
    await compiled.ainvoke(given, config("thread", "run"))
    state = await compiled.aget_state({"configurable": {"thread_id": "thread"}})
    assert state.values["messages"][0].content == "a\x00b"
    assert state.values["note"].replace("\x00", "") == "c\\u0000d"
