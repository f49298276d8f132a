"""Several turns at once on one thread: every strategy leaves what the reference server leaves."""

from __future__ import annotations

import asyncio
import uuid
from threading import Event
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.schema import MultitaskStrategy

from tests.fakes.endpoint import FakeEndpoint, Reply, scripted
from tests.server.site import QUESTION, Site

GRAPH = "switchyard"


def asked(text: str = QUESTION) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


async def turns(client: LangGraphClient, thread_id: str, strategy: MultitaskStrategy, count: int) -> list[int]:
    """The statuses of `count` turns that are asked for at once."""

    async def turn(number: int) -> int:
        try:
            await client.runs.wait(thread_id, GRAPH, input=asked(f"{QUESTION} ({number})"), multitask_strategy=strategy)
        except httpx.HTTPStatusError as error:
            return error.response.status_code
        return 200

    return await asyncio.gather(*(turn(number) for number in range(count)))


async def said(client: LangGraphClient, thread_id: str) -> list[str]:
    values: Any = (await client.threads.get_state(thread_id))["values"]
    return [message["type"] for message in values["messages"]]


@pytest.mark.parametrize("count", [4, 20])
async def test_enqueue_answers_all_one_after_the_other(client: LangGraphClient, count: int) -> None:
    thread_id = (await client.threads.create())["thread_id"]
    assert await turns(client, thread_id, "enqueue", count) == [200] * count
    assert await said(client, thread_id) == ["human", "ai"] * count


@pytest.mark.parametrize("count", [4, 20])
async def test_reject_answers_one(client: LangGraphClient, fake: FakeEndpoint, count: int) -> None:
    fake.script = lambda body: Reply(scripted(body).text, delay_s=0.5)
    thread_id = (await client.threads.create())["thread_id"]
    assert sorted(await turns(client, thread_id, "reject", count)) == [200] + [409] * (count - 1)
    assert await said(client, thread_id) == ["human", "ai"]


@pytest.mark.parametrize("count", [4, 20])
async def test_rollback_leaves_the_last_alone(client: LangGraphClient, fake: FakeEndpoint, count: int) -> None:
    fake.script = lambda body: Reply(scripted(body).text, delay_s=0.5)
    thread_id = (await client.threads.create())["thread_id"]
    await turns(client, thread_id, "rollback", count)
    assert await said(client, thread_id) == ["human", "ai"]
    assert [run["status"] for run in await client.runs.list(thread_id, limit=100)] == ["success"]


async def held(site: Site, client: LangGraphClient, fake: FakeEndpoint, thread_id: str) -> tuple[Event, dict[str, Any]]:
    """A run whose model has begun to answer and waits for the event."""
    release, begun = Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def script(body: dict[str, Any]) -> Reply:
        loop.call_soon_threadsafe(begun.set)
        return Reply(scripted(body).text, hold=release)

    fake.script = script
    run = await client.runs.create(thread_id, GRAPH, input=asked())
    await asyncio.wait_for(begun.wait(), 20)
    fake.script = scripted
    return release, dict(run)


async def test_interrupt_keeps_what_was_done(site: Site, client: LangGraphClient, fake: FakeEndpoint) -> None:
    thread_id = (await client.threads.create())["thread_id"]
    release, first = await held(site, client, fake, thread_id)
    await client.runs.wait(thread_id, GRAPH, input=asked("hello"), multitask_strategy="interrupt")
    release.set()
    # The first question stays: its run had chosen a route when it was interrupted.
    assert await said(client, thread_id) == ["human", "human", "ai"]
    assert (await client.runs.get(thread_id, first["run_id"]))["status"] == "interrupted"


async def test_rollback_forgets_what_was_done(site: Site, client: LangGraphClient, fake: FakeEndpoint) -> None:
    thread_id = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread_id, GRAPH, input=asked("good morning"))
    release, first = await held(site, client, fake, thread_id)
    await client.runs.wait(thread_id, GRAPH, input=asked("hello"), multitask_strategy="rollback")
    release.set()
    assert await said(client, thread_id) == ["human", "ai"] * 2
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await client.runs.get(thread_id, first["run_id"])
    assert caught.value.response.status_code == 404


@pytest.mark.parametrize(("action", "left"), [("interrupt", ["human"]), ("rollback", [])])
async def test_a_run_is_cancelled(
    site: Site, client: LangGraphClient, fake: FakeEndpoint, action: Any, left: list[str]
) -> None:
    thread_id = (await client.threads.create())["thread_id"]
    release, run = await held(site, client, fake, thread_id)
    await client.runs.cancel(thread_id, run["run_id"], wait=True, action=action)
    release.set()
    state: Any = await client.threads.get_state(thread_id)
    assert [message["type"] for message in state["values"].get("messages", [])] == left
    rows = site.rows("SELECT status FROM runs WHERE run_id = ?", run["run_id"])
    assert rows == ([{"status": "cancelled"}] if action == "interrupt" else [])
    values: Any = await client.runs.wait(thread_id, GRAPH, input=asked("hello"))
    assert [message["type"] for message in values["messages"]] == [*left, "human", "ai"]


async def steps_of(client: LangGraphClient, thread_id: str, run_id: str) -> list[str | None]:
    """The checkpoints that a run has written."""
    history = await client.threads.get_history(thread_id, limit=100)
    return [
        state["checkpoint"]["checkpoint_id"] for state in history if (state["metadata"] or {}).get("run_id") == run_id
    ]


@pytest.mark.parametrize("on_disconnect", ["cancel", "continue"])
async def test_a_reader_who_leaves_takes_the_run_along_only_if_it_said_so(
    site: Site, client: LangGraphClient, fake: FakeEndpoint, on_disconnect: Any
) -> None:
    release, begun = Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def script(body: dict[str, Any]) -> Reply:
        loop.call_soon_threadsafe(begun.set)
        return Reply(scripted(body).text, hold=release)

    fake.script = script
    thread_id = str(uuid.uuid4())
    stream = client.runs.stream(
        thread_id, GRAPH, input=asked(), if_not_exists="create", on_disconnect=on_disconnect, stream_mode="updates"
    )
    async for part in stream:
        if part.event == "metadata":
            await asyncio.wait_for(begun.wait(), 20)
            break
    await stream.aclose()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    [run] = await client.runs.list(thread_id)
    if on_disconnect == "continue":
        release.set()
    await client.runs.join(thread_id, run["run_id"])
    steps = await steps_of(client, thread_id, run["run_id"])
    # The model would answer now.
    release.set()
    expected = "interrupted" if on_disconnect == "cancel" else "success"
    assert (await client.runs.get(thread_id, run["run_id"]))["status"] == expected
    await client.runs.wait(thread_id, GRAPH, input=asked("hello"))
    assert await steps_of(client, thread_id, run["run_id"]) == steps
    left = {"cancel": ["human", "human", "ai"], "continue": ["human", "ai"] * 2}
    assert await said(client, thread_id) == left[on_disconnect]
