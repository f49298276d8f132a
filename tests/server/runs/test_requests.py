"""A request with a key starts one run, however often and by however many it is sent."""

from __future__ import annotations

import asyncio

import pytest

from server.db.engine import Database
from server.runs.admission import ThreadBusyError
from server.runs.requests import KeyReusedError
from server.runs.rows import NewRun, RequestKey
from server.runs.store import RunStore
from tests.server.runs.building import finish, new_run
from tools.ports import Usage

KEY = RequestKey("key", "what was asked for")


async def kept(store: RunStore) -> list[str]:
    return [row.run_id for row in await store.of_thread("ann", "thread", limit=100)]


async def test_the_second_of_two_gets_the_first_one_s_run(database: Database) -> None:
    store, first, again = RunStore(database), new_run(key=KEY), new_run(key=KEY)
    assert (await store.create(first)).earlier is None
    assert (await store.create(again)).earlier == (first.run_id, "thread")
    await finish(store, first)
    assert (await store.create(again)).earlier == (first.run_id, "thread")
    assert await kept(store) == [first.run_id]


async def test_many_at_once_start_one(database: Database) -> None:
    stores = [RunStore(database) for _ in range(20)]
    admitted = await asyncio.gather(*(store.create(new_run(key=KEY)) for store in stores))
    [run_id] = await kept(stores[0])
    assert [admission.earlier for admission in admitted].count(None) == 1
    assert {admission.earlier[0] for admission in admitted if admission.earlier} == {run_id}


async def test_the_key_of_something_else_is_refused(database: Database) -> None:
    store = RunStore(database)
    await store.create(new_run(key=KEY))
    with pytest.raises(KeyReusedError):
        await store.create(new_run(key=RequestKey("key", "something else")))
    assert len(await kept(store)) == 1


async def test_owners_have_keys_of_their_own(database: Database) -> None:
    store, first = RunStore(database), new_run(key=KEY)
    await store.create(first)
    other = NewRun("other", "another thread", "bob", "hello", {}, "trace", request_key=KEY)
    assert (await store.create(other)).earlier is None


async def test_a_refused_request_leaves_its_key_free(database: Database) -> None:
    store, first = RunStore(database), new_run()
    await store.create(first)
    refused = new_run(strategy="reject", key=KEY)
    with pytest.raises(ThreadBusyError):
        await store.create(refused)
    await finish(store, first)
    assert (await store.create(refused)).earlier is None


async def test_a_run_that_is_no_more_frees_its_key(database: Database) -> None:
    store, first, second = RunStore(database), new_run(key=KEY), new_run(key=KEY)
    await store.create(first)
    await store.take_back(first, Usage())
    assert (await store.create(second)).earlier is None
    assert await kept(store) == [second.run_id]
