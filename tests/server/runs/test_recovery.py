"""Runs that a process left unfinished go on in the next one: nothing lost, nothing twice, one end."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from langchain.messages import AIMessage
from langgraph.config import get_config
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from agent.nodes.events import answer_id, emit
from agent.settings import Settings
from agent.state import GraphState
from server.db.engine import Database
from server.db.tables import runs
from server.langgraph.bodies import RunBody
from server.langgraph.graph_calls import graph_call
from server.runs import manager as managing
from server.runs.leases import MAX_ATTEMPTS, LeaseLostError
from server.runs.live import RunRequest
from server.runs.manager import RunManager
from server.runs.plans import new_run
from server.runs.rows import NewRun
from server.runs.store import RunStore
from tests.server.runs.building import event, managed, names
from tools.ports import Usage

RESULT = {"route": "unknown", "answer": "an answer"}


class Node:
    """A node that counts its calls and may wait."""

    def __init__(self, said: str | None = None) -> None:
        self.said = said
        self.calls = 0
        self.entered = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, state: GraphState) -> GraphState:
        self.calls += 1
        self.entered.set()
        await self.open.wait()
        if self.said is None:
            return {"query": "looked at"}
        emit("token", {"text": self.said})
        emit("result", RESULT)
        # As the graph's branches name their answers.
        answer = AIMessage(self.said, id=answer_id(get_config()["metadata"]["run_id"]))  # pyright: ignore[reportTypedDictNotRequiredAccess]
        return {"messages": [answer], "result": RESULT}


def planned(request: RunRequest) -> NewRun:
    return new_run(request, str(uuid.uuid4()), request.thread_id or "thread", uuid.uuid4().hex)


def called(thread_id: str, **fields: Any) -> RunRequest:
    messages = {"messages": [{"role": "user", "content": "hello"}]}
    body = RunBody(assistant_id="switchyard", input=messages, stream_mode=["values"], **fields)
    return RunRequest("ann", "hello", thread_id=thread_id, call=graph_call(body))


async def said(manager: RunManager, thread_id: str = "thread") -> list[str]:
    graph = manager._graph  # pyright: ignore[reportPrivateUsage]
    state = await graph.aget_state({"configurable": {"thread_id": thread_id}})
    return [message.type for message in state.values.get("messages", [])]


def die_at_the_end(manager: RunManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a manager's runs stop right before their end would be written, as a kill does."""

    async def killed(*_: Any) -> str | None:
        raise LeaseLostError("killed")

    monkeypatch.setattr(manager._store, "finish", killed)  # pyright: ignore[reportPrivateUsage]


async def test_a_run_that_had_said_something_begins_anew(database: Database, kept: Settings) -> None:
    dead, run = RunStore(database), planned(RunRequest("ann", "hello", thread_id="thread"))
    await dead.create(run)
    await dead.append([event(run, 2, "token", '{"text":"an ans"}')])
    async with managed(database, kept, answer=Node("an answer")) as (manager, store):
        assert await manager.recover(everything=True) == 1
        assert await names(manager, run.run_id) == ["run", "token", "restart", "token", "result", "end"]
        assert await names(manager, run.run_id, after=2) == ["restart", "token", "result", "end"]
        assert (await manager.result("ann", run.run_id))["answer"] == "an answer"
        assert await said(manager) == ["human", "ai"]
        assert await manager.recover(everything=True) == 0
    stored = await store.events(run.run_id, 0)
    assert [told.seq for told in stored] == [1, 2, 3, 4, 5, 6]
    assert [told.name for told in stored].count("end") == 1


async def test_a_turn_in_memory_is_not_made_again(
    database: Database, kept: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Node("an answer"), Node("another answer")
    async with managed(database, kept, answer=first) as (killed, _):
        die_at_the_end(killed, monkeypatch)
        run = await killed.start(RunRequest("ann", "hello", thread_id="thread"))
        await asyncio.wait_for(killed.drain(20), 60)
    async with managed(database, kept, answer=second) as (manager, store):
        await manager.recover(everything=True)
        await asyncio.wait_for(manager.ended("ann", run.run_id), 60)
        assert (first.calls, second.calls) == (1, 0)
        assert await said(manager) == ["human", "ai"]
        assert (await store.get("ann", run.run_id)).status == "success"


async def test_a_client_s_run_goes_on_at_its_last_step(database: Database, kept: Settings) -> None:
    look, answer = Node(), Node("an answer")
    answer.open.clear()
    async with managed(database, kept, look=look, answer=answer) as (paused, _):
        run = await paused.start(called("thread", durability="sync"))
        reading = asyncio.create_task(names(paused, run.run_id))
        await asyncio.wait_for(answer.entered.wait(), 60)
        async with managed(database, kept, look=look, answer=answer) as (manager, _):
            await manager.recover(everything=True)
            await paused.keep_once()
            answer.open.set()
            # The reader of the process that was paused gets the rest, too.
            assert (await asyncio.wait_for(reading, 60))[-1] == "end"
            assert (await names(manager, run.run_id)).count("end") == 1
            assert await said(manager) == ["human", "ai"]
    assert look.calls == 1


async def test_a_run_that_had_paused_stays_paused(
    database: Database, kept: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, answer = Node(), Node("an answer")
    async with managed(database, kept, look=look, answer=answer) as (killed, _):
        die_at_the_end(killed, monkeypatch)
        before = await killed.start(called("before", interrupt_before=["answer"]))
        after = await killed.start(called("after", interrupt_after=["look"]))
        await asyncio.wait_for(killed.drain(20), 60)
    async with managed(database, kept, look=look, answer=answer) as (manager, store):
        await manager.recover(everything=True)
        for run in (before, after):
            await asyncio.wait_for(manager.ended("ann", run.run_id), 60)
            assert (await store.thread("ann", run.thread_id))[0].status == "interrupted"
    assert (look.calls, answer.calls) == (2, 0)


async def test_runs_of_a_thread_keep_their_order(database: Database, kept: Settings) -> None:
    dead = RunStore(database)
    waiting = [planned(RunRequest("ann", f"hello {n}", thread_id="thread")) for n in range(3)]
    for run in waiting:
        await dead.create(run)
    async with managed(database, kept, answer=Node("an answer")) as (manager, store):
        assert await manager.recover(everything=True) == 3
        for run in waiting:
            await asyncio.wait_for(manager.ended("ann", run.run_id), 60)
        assert await said(manager) == ["human", "ai"] * 3
        ended = [(await store.get("ann", run.run_id)).finished_at or 0 for run in waiting]
    assert ended == sorted(ended)


async def test_a_run_that_is_cut_off_again_and_again_ends_with_an_error(database: Database, kept: Settings) -> None:
    dead, run = RunStore(database), planned(RunRequest("ann", "hello", thread_id="thread"))
    following = planned(RunRequest("ann", "hello", thread_id="thread"))
    await dead.create(run)
    await dead.create(following)
    for _ in range(MAX_ATTEMPTS - 1):
        await RunStore(database).claim(everything=True)
    node = Node("an answer")
    async with managed(database, kept, answer=node) as (manager, store):
        await manager.recover(everything=True)
        assert await asyncio.wait_for(names(manager, run.run_id), 60) == ["run", "error", "end"]
        row = await store.get("ann", run.run_id)
        assert (row.status, row.error_code, row.message) == ("error", "server_stopped", "hello")
        await asyncio.wait_for(manager.ended("ann", following.run_id), 60)
        assert (await store.get("ann", following.run_id)).status == "success"
    assert node.calls == 1


async def test_a_run_of_an_earlier_version_ends_with_an_error(database: Database, kept: Settings) -> None:
    dead, run = RunStore(database), NewRun("old", "thread", "ann", "hello", {}, uuid.uuid4().hex)
    await dead.create(run)
    async with managed(database, kept, answer=Node("an answer")) as (manager, store):
        await manager.recover(everything=True)
        assert await asyncio.wait_for(names(manager, "old"), 60) == ["run", "error", "end"]
        assert (await store.get("ann", "old")).error_code == "server_stopped"


async def test_an_end_that_cannot_be_written_is_written_later(
    database: Database, kept: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(managing, "_WRITE_AGAIN_S", 0)
    async with managed(database, kept, answer=Node("an answer")) as (manager, store):
        finish, failures = store.finish, [True, True]

        async def full(*arguments: Any) -> str | None:
            if failures:
                failures.pop()
                raise OperationalError("INSERT", {}, Exception("database or disk is full"))
            return await finish(*arguments)

        monkeypatch.setattr(store, "finish", full)
        run = await manager.start(RunRequest("ann", "hello", thread_id="thread"))
        assert (await asyncio.wait_for(manager.result("ann", run.run_id), 60))["answer"] == "an answer"
        assert not failures
        again = await manager.start(RunRequest("ann", "hello", thread_id="thread"))
        assert (await asyncio.wait_for(manager.result("ann", again.run_id), 60))["answer"] == "an answer"


async def test_an_end_that_was_never_written_is_made_good_by_the_next_process(
    database: Database, kept: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with managed(database, kept, answer=Node("an answer")) as (manager, store):

        async def full(*_: Any) -> str | None:
            raise OperationalError("INSERT", {}, Exception("database or disk is full"))

        monkeypatch.setattr(store, "finish", full)
        run = await manager.start(RunRequest("ann", "hello", thread_id="thread"))
        await asyncio.wait_for(manager.drain(0), 60)
    async with managed(database, kept, answer=Node("an answer")) as (manager, _):
        await manager.recover(everything=True)
        assert (await asyncio.wait_for(manager.result("ann", run.run_id), 60))["answer"] == "an answer"


async def test_a_run_that_another_process_let_work_begins(database: Database, kept: Settings) -> None:
    other, first = RunStore(database), planned(RunRequest("ann", "hello", thread_id="thread"))
    await other.create(first)
    async with managed(database, kept, answer=Node("an answer")) as (manager, _):
        run = await manager.start(RunRequest("ann", "hello", thread_id="thread"))
        await other.take_back(first, Usage())
        await manager.keep_once()
        assert (await asyncio.wait_for(manager.result("ann", run.run_id), 60))["answer"] == "an answer"


@pytest.mark.parametrize("kept", ["postgres"], indirect=True)
async def test_a_run_begins_soon_after_another_process_has_ended_the_one_before(
    database: Database, kept: Settings
) -> None:
    other, first = RunStore(database), planned(RunRequest("ann", "hello", thread_id="thread"))
    await other.create(first)
    async with managed(database, kept, answer=Node("an answer")) as (manager, _):
        run = await manager.start(RunRequest("ann", "hello", thread_id="thread"))
        await other.take_back(first, Usage())
        # No heartbeat comes: the run looks by itself.
        assert (await asyncio.wait_for(manager.result("ann", run.run_id), 60))["answer"] == "an answer"


async def test_a_process_takes_over_what_one_of_its_name_has_left(database: Database, kept: Settings) -> None:
    dead, run = RunStore(database, "name"), planned(RunRequest("ann", "hello", thread_id="thread"))
    stranger, other = RunStore(database, "other"), planned(RunRequest("ann", "hello", thread_id="elsewhere"))
    await dead.create(run)
    await stranger.create(other)
    async with managed(database, kept, holder="name", answer=Node("an answer")) as (manager, _):
        assert await manager.recover(everything=False) == 0
        assert await manager.recover(everything=False, own=True) == 1
        assert await names(manager, run.run_id) == ["run", "restart", "token", "result", "end"]


async def test_a_lease_that_runs_out_is_taken_over_while_the_process_lives(database: Database, kept: Settings) -> None:
    dead, run = RunStore(database), planned(RunRequest("ann", "hello", thread_id="thread"))
    await dead.create(run)
    async with managed(database, kept, answer=Node("an answer")) as (manager, _):
        await manager.keep_once()
        assert await manager.cancel("ann", run.run_id) is False
        await database.write(lambda connection: connection.execute(update(runs).values(lease_until=1.0)))
        reading = asyncio.create_task(names(manager, run.run_id))
        await manager.keep_once()
        assert await asyncio.wait_for(reading, 60) == ["run", "restart", "token", "result", "end"]
