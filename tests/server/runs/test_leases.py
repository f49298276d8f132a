"""A run belongs to whoever has its lease: only that process writes, and a lease that runs out is taken over."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import update

from server.db.engine import Database
from server.db.tables import runs
from server.runs.leases import LeaseLostError
from server.runs.rows import NewRun
from server.runs.store import RunStore
from tests.server.runs.building import DONE, event, finish, new_run
from tools.ports import Usage


async def expire(database: Database, run: NewRun) -> None:
    values = update(runs).where(runs.c.run_id == run.run_id).values(lease_until=time.time() - 1)
    await database.write(lambda connection: connection.execute(values))


async def test_a_lease_that_holds_is_not_taken(database: Database) -> None:
    await RunStore(database).create(new_run())
    assert await RunStore(database).claim(everything=False) == []


async def test_a_lease_that_has_run_out_is_taken_once(database: Database) -> None:
    run = new_run()
    await RunStore(database).create(run)
    await expire(database, run)
    claims = await asyncio.gather(*(RunStore(database).claim(everything=False) for _ in range(5)))
    [claimed] = [found for claim in claims for found in claim]
    assert (claimed.row.run_id, claimed.status, claimed.attempt) == (run.run_id, "running", 2)


async def test_all_leases_are_taken_where_nobody_else_can_be_alive(database: Database) -> None:
    first, waiting = new_run(), new_run()
    dead = RunStore(database)
    await dead.create(first)
    await dead.create(waiting)
    claimed = await RunStore(database).claim(everything=True)
    # A run that had not begun to work has lost nothing.
    assert [(run.row.run_id, run.status, run.attempt) for run in claimed] == [
        (first.run_id, "running", 2),
        (waiting.run_id, "pending", 1),
    ]


async def test_a_process_takes_none_of_its_own_runs(database: Database) -> None:
    store, run = RunStore(database), new_run()
    await store.create(run)
    await expire(database, run)
    assert await store.claim(everything=False, ours=[run.run_id]) == []


async def test_a_renewed_lease_is_kept(database: Database) -> None:
    store, run, ended = RunStore(database), new_run("one"), new_run("two")
    await store.create(run)
    await store.create(ended)
    await finish(store, ended)
    await expire(database, run)
    assert await store.renew([run.run_id, ended.run_id]) == {run.run_id: "running"}
    assert await RunStore(database).claim(everything=False) == []


async def test_who_has_lost_the_lease_writes_nothing(database: Database) -> None:
    paused, run = RunStore(database), new_run()
    await paused.create(run)
    other = RunStore(database)
    await other.claim(everything=True)
    assert await paused.append([event(run, 2)]) == {run.run_id}
    for attempt in (paused.finish(run, [event(run, 2, "end")], DONE), paused.take_back(run, Usage())):
        with pytest.raises(LeaseLostError):
            await attempt
    assert await paused.renew([run.run_id]) == {}
    assert [stored.seq for stored in await other.events(run.run_id, 0)] == [1]
    await finish(other, run)
    assert [stored.name for stored in await other.events(run.run_id, 0)] == ["run", "end"]


async def test_one_lost_run_holds_up_no_other(database: Database) -> None:
    store, lost, kept = RunStore(database), new_run("one"), new_run("two")
    await store.create(lost)
    await RunStore(database).claim(everything=True)
    await store.create(kept)
    assert await store.append([event(lost, 2), event(kept, 2)]) == {lost.run_id}
    assert [stored.seq for stored in await store.events(kept.run_id, 0)] == [1, 2]


async def test_an_ended_run_is_ended_once(database: Database) -> None:
    store, run = RunStore(database), new_run()
    await store.create(run)
    await finish(store, run)
    with pytest.raises(LeaseLostError):
        await finish(store, run)
    assert await RunStore(database).claim(everything=True) == []
