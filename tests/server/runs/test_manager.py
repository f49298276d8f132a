"""Runs whose caller goes away, and runs that meet a shutdown, while they are written down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent.nodes.events import emit
from agent.settings import Settings
from agent.state import GraphState
from server.db.engine import Database
from server.runs.live import RunRequest
from server.runs.manager import RunManager, ShuttingDownError
from server.runs.store import RunStore
from tests.server.runs.building import managed

RESULT = {"route": "unknown", "answer": "an answer"}


async def _answer(state: GraphState) -> GraphState:
    emit("result", RESULT)
    return {"messages": [("ai", "an answer")]}  # pyright: ignore[reportReturnType]


@pytest.fixture
async def opened(database: Database, kept: Settings) -> AsyncIterator[tuple[RunManager, RunStore]]:
    async with managed(database, kept, answer=_answer) as opened:
        yield opened


async def test_a_caller_who_goes_away_leaves_no_thread_at_work(opened: tuple[RunManager, RunStore]) -> None:
    manager, store = opened
    for attempt in range(10):
        caller = asyncio.ensure_future(manager.start(RunRequest("ann", "hello", thread_id=f"thread-{attempt}")))
        for _ in range(attempt):
            await asyncio.sleep(0)
        caller.cancel()
        await asyncio.wait([caller])
        again = await manager.start(RunRequest("ann", "hello again", thread_id=f"thread-{attempt}"))
        assert (await asyncio.wait_for(manager.result("ann", again.run_id), 20))["answer"] == "an answer"
        rows = await store.of_thread("ann", f"thread-{attempt}", limit=10)
        assert {row.status for row in rows} == {"success"}


async def test_a_run_that_is_cancelled_at_once_ends(opened: tuple[RunManager, RunStore]) -> None:
    manager, store = opened
    run = await manager.start(RunRequest("ann", "hello", thread_id="thread"))
    assert await asyncio.wait_for(manager.cancel("ann", run.run_id), 20)
    assert (await store.get("ann", run.run_id)).status == "cancelled"
    names = [event.name async for arrived in manager.follow("ann", run.run_id) for event in arrived]
    assert names == ["run", "error", "end"]


async def test_a_shutdown_waits_for_a_run_that_is_being_written_down(opened: tuple[RunManager, RunStore]) -> None:
    manager, store = opened
    starting = asyncio.ensure_future(manager.start(RunRequest("ann", "hello", thread_id="thread")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.wait_for(manager.drain(0), 20)
    run = await starting
    assert (await store.get("ann", run.run_id)).status in ("success", "error")
    with pytest.raises(ShuttingDownError):
        await manager.start(RunRequest("ann", "too late"))
