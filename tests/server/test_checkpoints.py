"""Checkpoints: no half operations, no reader in the way of a writer, runs that can be taken back."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

from server.checkpoints import Checkpoints, open_checkpoints


class _State(TypedDict):
    messages: Annotated[list[Any], add_messages]


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
async def checkpoints(tmp_path: Path) -> AsyncIterator[Checkpoints]:
    async with open_checkpoints(tmp_path / "checkpoints.db") as opened:
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


async def test_cancelled_deletions_delete_all_of_a_thread_or_nothing(checkpoints: Checkpoints, tmp_path: Path) -> None:
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
    # An open transaction of the saver would lock this connection out.
    with closing(sqlite3.connect(tmp_path / "checkpoints.db", timeout=1)) as outside, outside:
        outside.execute("DELETE FROM writes WHERE thread_id = 'nobody'")
        left = outside.execute(
            "SELECT count(*) FROM writes WHERE thread_id NOT IN (SELECT thread_id FROM checkpoints)"
        ).fetchone()
    assert left == (0,)
