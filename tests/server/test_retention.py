"""What is old enough goes, in bounded batches; what anybody may still need stays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langgraph.checkpoint.base import empty_checkpoint
from sqlalchemy import func, select, update

from agent.settings import Settings
from server import retention
from server.checkpoints import Checkpoints
from server.db.engine import Database
from server.db.tables import request_keys, runs, threads
from server.retention import Pruned, Retention
from server.runs.rows import NewRun, RequestKey
from server.runs.store import RunStore
from server.thread_states import open_thread_states
from tests.server.runs.building import event, finish, new_run
from tests.server.saved import writes
from tools.errors import NotFoundError

DAY_S = 86_400.0


@pytest.fixture
async def checkpoints(kept: Settings) -> AsyncIterator[Checkpoints]:
    async with open_thread_states(kept) as opened:
        yield opened


def retention_of(database: Database, saver: Checkpoints, **days: float) -> Retention:
    names = ("events", "temporary_runs", "checkpoints", "request_keys")
    kept: Any = {f"keep_{name}_days": days.get(name, 0) for name in names}
    return Retention(Settings(**kept), database, saver)


async def ended(store: RunStore, database: Database, run: NewRun, days_ago: float) -> NewRun:
    await store.create(run)
    await store.append([event(run, 2), event(run, 3), event(run, 4, "result"), event(run, 5, "end")])
    await finish(store, run)
    moment = time.time() - days_ago * DAY_S
    await database.write(
        lambda connection: connection.execute(
            update(runs).where(runs.c.run_id == run.run_id).values(finished_at=moment)
        )
    )
    return run


async def told(store: RunStore, run: NewRun, after: int = 0) -> list[tuple[int, str]]:
    return [(event.seq, event.name) for event in await store.events(run.run_id, after)]


async def test_old_events_leave_a_gap_and_the_end(database: Database, checkpoints: Checkpoints) -> None:
    store = RunStore(database)
    old = await ended(store, database, new_run("old"), 40)
    recent = await ended(store, database, new_run("recent"), 20)
    keeper = retention_of(database, checkpoints, events=30)
    assert await keeper.prune() == Pruned(runs_without_events=1)
    assert not await keeper.prune()
    assert await told(store, old) == [(3, "gap"), (4, "result"), (5, "end")]
    assert await told(store, old, after=2) == [(3, "gap"), (4, "result"), (5, "end")]
    assert await told(store, old, after=3) == [(4, "result"), (5, "end")]
    assert await told(store, old, after=5) == []
    [gap, *_] = await store.events(old.run_id, 1)
    assert gap.data == '{"first":2,"last":3}'
    assert [seq for seq, _ in await told(store, recent)] == [1, 2, 3, 4, 5]


async def test_a_run_that_goes_on_keeps_its_events(database: Database, checkpoints: Checkpoints) -> None:
    store, run = RunStore(database), new_run()
    await store.create(run)
    await store.append([event(run, 2)])
    assert not await retention_of(database, checkpoints, events=1).prune(time.time() + 100 * DAY_S)
    assert [seq for seq, _ in await told(store, run)] == [1, 2]


async def test_everything_goes_in_bounded_batches(
    database: Database, checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_BATCH", 2)
    store = RunStore(database)
    for n in range(5):
        await ended(store, database, new_run(f"thread-{n}", key=RequestKey(str(n), "a")), 40)
    pruned = await retention_of(database, checkpoints, events=30, request_keys=1).prune(time.time() + 2 * DAY_S)
    assert pruned == Pruned(runs_without_events=5, request_keys=5)
    left = await database.read(lambda connection: connection.execute(select(func.count()).select_from(request_keys)))
    assert left.scalar() == 0


async def test_temporary_runs_go_with_their_states(database: Database, checkpoints: Checkpoints) -> None:
    store = RunStore(database)
    temporary, kept, busy = new_run("temporary"), new_run("kept"), new_run("busy")
    for run in (temporary, kept, busy):
        await store.create(run)
        config = {"configurable": {"thread_id": run.thread_id, "checkpoint_ns": ""}}
        await checkpoints.aput(config, empty_checkpoint(), {}, {})  # pyright: ignore[reportArgumentType]
    await finish(store, temporary)
    await finish(store, kept)
    mark = update(threads).where(threads.c.thread_id.in_(["temporary", "busy"])).values(temporary=True)
    await database.write(lambda connection: connection.execute(mark))
    keeper = retention_of(database, checkpoints, temporary_runs=1)
    assert not await keeper.prune()
    assert await keeper.prune(time.time() + 2 * DAY_S) == Pruned(temporary_threads=1)
    with pytest.raises(NotFoundError):
        await store.get("ann", temporary.run_id)
    for run in (kept, busy):
        assert (await store.get("ann", run.run_id)).thread_id == run.thread_id
    found = {one.config["configurable"]["thread_id"] async for one in checkpoints.alist(None)}  # pyright: ignore[reportTypedDictNotRequiredAccess]
    assert found == {"kept", "busy"}


async def states(checkpoints: Checkpoints, thread_id: str, count: int) -> list[str]:
    """Makes checkpoints of a thread, one after the other; their ids."""
    config: Any = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
    for _ in range(count):
        config = await checkpoints.aput(config, empty_checkpoint(), {}, {})
        await checkpoints.aput_writes(config, [("messages", "a")], "task")
    return [one.checkpoint["id"] async for one in checkpoints.alist({"configurable": {"thread_id": thread_id}})][::-1]


async def test_the_latest_state_of_each_thread_stays(
    database: Database, checkpoints: Checkpoints, kept: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_BATCH", 2)
    store = RunStore(database)
    await store.create(new_run("busy"))
    made = {name: await states(checkpoints, name, 4) for name in ("one", "two", "busy")}
    keeper = retention_of(database, checkpoints, checkpoints=30)
    assert not await keeper.prune(time.time() + 29 * DAY_S)
    assert await keeper.prune(time.time() + 31 * DAY_S) == Pruned(checkpoints=6)
    for name, left in (("one", made["one"][-1:]), ("two", made["two"][-1:]), ("busy", made["busy"])):
        config: Any = {"configurable": {"thread_id": name}}
        assert [one.checkpoint["id"] async for one in checkpoints.alist(config)][::-1] == left
    latest = await checkpoints.aget_tuple({"configurable": {"thread_id": "one"}})
    assert latest is not None
    assert latest.pending_writes == [("task", "messages", "a")]
    assert await asyncio.to_thread(writes, kept) == 6


async def test_nothing_goes_where_it_is_kept_forever(database: Database, checkpoints: Checkpoints) -> None:
    store = RunStore(database)
    await ended(store, database, new_run(key=RequestKey("key", "a")), 400)
    await states(checkpoints, "thread", 3)
    assert not await retention_of(database, checkpoints).prune(time.time() + 1000 * DAY_S)
