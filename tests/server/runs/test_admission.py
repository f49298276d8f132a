"""One run of a thread works at a time, whoever asks, and the database sees to it."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError

from agent.settings import Settings
from server.db.engine import Database
from server.db.tables import runs
from server.runs.admission import ThreadBusyError, admit
from server.runs.rows import NewRun, Outcome
from server.runs.store import RunStore
from server.storage import read_database
from tests.server.engines import engine_of
from tests.server.runs.building import DONE, finish, new_run
from tools.ports import Usage


async def status(store: RunStore, run: NewRun) -> str:
    return (await store.get("ann", run.run_id)).status


async def test_the_first_works_and_the_others_wait_in_their_order(database: Database) -> None:
    store = RunStore(database)
    first, second, third = new_run(), new_run(), new_run()
    assert (await store.create(first)).working
    waiting = await store.create(second)
    assert not waiting.working
    assert waiting.unfinished == (first.run_id,)
    assert (await store.create(third)).unfinished == (first.run_id, second.run_id)
    assert [await status(store, run) for run in (first, second, third)] == ["running", "pending", "pending"]
    assert await finish(store, first) == second.run_id
    assert await finish(store, second) == third.run_id
    assert await finish(store, third) is None


async def test_a_run_that_ends_while_it_waits_lets_nobody_pass(database: Database) -> None:
    store = RunStore(database)
    first, second, third = new_run(), new_run(), new_run()
    for run in (first, second, third):
        await store.create(run)
    assert await finish(store, second, Outcome("cancelled", None, "cancelled", None, 1.0)) is None
    assert await status(store, third) == "pending"
    assert await finish(store, first) == third.run_id


async def test_threads_do_not_wait_for_each_other(database: Database) -> None:
    store = RunStore(database)
    assert (await store.create(new_run("one"))).working
    assert (await store.create(new_run("two"))).working


async def test_a_run_that_would_not_wait_is_refused_and_not_kept(database: Database) -> None:
    store = RunStore(database)
    first, refused = new_run(), new_run(strategy="reject")
    await store.create(first)
    with pytest.raises(ThreadBusyError) as caught:
        await store.create(refused)
    assert caught.value.code == "thread_busy"
    assert len(await store.of_thread("ann", "thread", limit=10)) == 1
    await finish(store, first)
    assert (await store.create(refused)).working


async def test_of_many_that_would_not_wait_one_comes_in(database: Database) -> None:
    store = RunStore(database)
    attempts = [store.create(new_run(strategy="reject")) for _ in range(20)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert [outcome for outcome in outcomes if not isinstance(outcome, ThreadBusyError)] == [outcomes[0]]


async def test_a_run_taken_back_leaves_nothing_and_lets_the_next_one_work(database: Database) -> None:
    store = RunStore(database)
    first, second = new_run(), new_run(strategy="rollback")
    await store.create(first)
    await store.create(second)
    assert await store.take_back(first, Usage()) == second.run_id
    assert [row.run_id for row in await store.of_thread("ann", "thread", limit=10)] == [second.run_id]


async def test_a_thread_says_whether_it_works(database: Database) -> None:
    store = RunStore(database)
    first, second = new_run(), new_run()
    await store.create(first)
    await store.create(second)
    states: list[str] = []
    for run, outcome in ((first, DONE), (second, Outcome("success", {}, None, None, 1.0, paused=True))):
        await finish(store, run, outcome)
        states.append((await store.thread("ann", "thread"))[0].status)
    assert states == ["busy", "interrupted"]


async def test_the_database_refuses_a_second_working_run(database: Database) -> None:
    store = RunStore(database)
    await store.create(new_run())
    second = new_run()
    await store.create(second)
    with pytest.raises(IntegrityError):
        await database.write(
            lambda connection: connection.execute(
                update(runs).where(runs.c.run_id == second.run_id).values(status="running")
            )
        )


@pytest.mark.parametrize("kept", ["postgres"], indirect=True)
async def test_an_end_sees_the_run_that_another_process_writes_at_the_same_moment(
    database: Database, kept: Settings
) -> None:
    store, working, coming = RunStore(database), new_run(), new_run()
    await store.create(working)
    engine = engine_of(kept)
    beside = await asyncio.to_thread(engine.connect)
    assert not (await asyncio.to_thread(admit, beside, "another process", coming)).working
    ending = asyncio.create_task(finish(store, working))
    await asyncio.to_thread(wait_for_a_wait, kept)
    await asyncio.to_thread(beside.commit)
    assert await ending == coming.run_id
    await asyncio.to_thread(beside.close)
    engine.dispose()


def wait_for_a_wait(kept: Settings) -> None:
    """Return once a transaction waits for another one."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with read_database(kept) as connection:
        deadline = time.monotonic() + 60
        while not connection.execute(waiting).scalar_one():
            assert time.monotonic() < deadline, "nobody waits"
