"""The official Python client, unmodified, against the real server."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient

from server.langgraph.views import ASSISTANT_ID
from tests.server.site import QUESTION, Site

GRAPH = "switchyard"


def asked(text: str = QUESTION) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def kinds(messages: list[dict[str, Any]]) -> list[str]:
    return [message["type"] for message in messages]


async def test_the_assistant_is_the_graph(client: LangGraphClient) -> None:
    [found] = await client.assistants.search(graph_id=GRAPH)
    assert found["assistant_id"] == ASSISTANT_ID
    assert (await client.assistants.get(ASSISTANT_ID))["graph_id"] == GRAPH
    assert await client.assistants.search(graph_id="another") == []
    drawn = await client.assistants.get_graph(GRAPH)
    assert {"route", "knowledge", "fraud", "extract", "unknown"} <= {node["id"] for node in drawn["nodes"]}
    schemas = await client.assistants.get_schemas(ASSISTANT_ID)
    assert "messages" in schemas["input_schema"]["properties"]
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await client.assistants.get("nobody")
    assert caught.value.response.status_code == 404


async def test_a_turn_streams_metadata_and_values_and_ends(client: LangGraphClient) -> None:
    thread = await client.threads.create()
    parts = [part async for part in client.runs.stream(thread["thread_id"], GRAPH, input=asked())]
    assert [part.event for part in parts][:2] == ["metadata", "values"]
    assert {part.event for part in parts} == {"metadata", "values", "end"}
    last = [part for part in parts if part.event == "values"][-1]
    assert kinds(last.data["messages"]) == ["human", "ai"]
    assert last.data["result"]["route"] == "knowledge"
    state = await client.threads.get_state(thread["thread_id"])
    assert state["values"]["messages"][-1]["content"] == last.data["messages"][-1]["content"]
    assert state["next"] == []


async def test_every_mode_that_the_graph_gives_arrives(client: LangGraphClient) -> None:
    thread = await client.threads.create()
    modes = ["values", "updates", "messages-tuple", "custom", "debug", "tasks", "checkpoints"]
    stream = client.runs.stream(thread["thread_id"], GRAPH, input=asked(), stream_mode=modes)  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownVariableType]
    seen = {part.event async for part in stream}
    assert seen == {"metadata", "values", "updates", "messages", "custom", "debug", "tasks", "checkpoints", "end"}


async def test_steps_are_told_as_events_and_calls_of_models_are_not(client: LangGraphClient) -> None:
    thread = await client.threads.create()
    modes: Any = ["values", "events"]
    parts = [part async for part in client.runs.stream(thread["thread_id"], GRAPH, input=asked(), stream_mode=modes)]
    assert {part.event for part in parts} == {"metadata", "values", "events", "end"}
    told = [part.data for part in parts if part.event == "events"]
    run_id = parts[0].data["run_id"]
    assert (told[0]["event"], told[0]["run_id"], told[0]["parent_ids"]) == ("on_chain_start", run_id, [])
    assert (told[-1]["event"], told[-1]["run_id"]) == ("on_chain_end", run_id)
    assert {"route", "knowledge"} <= {event["name"] for event in told}
    assert not [event for event in told if "model" in event["event"]]
    assert [part.data for part in parts if part.event == "values"][-1]["result"]["answer"]


async def test_messages_come_as_growing_partials_and_a_whole(client: LangGraphClient) -> None:
    thread = await client.threads.create()
    stream = client.runs.stream(thread["thread_id"], GRAPH, input=asked(), stream_mode="messages")
    parts = [part async for part in stream]
    assert {"messages/metadata", "messages/partial", "messages/complete"} <= {part.event for part in parts}
    told = [part.data[0] for part in parts if part.event == "messages/partial"]
    for earlier, later in itertools.pairwise(told):
        if earlier["id"] == later["id"]:
            assert later["content"].startswith(earlier["content"])


async def test_a_conversation_is_remembered_and_shared_with_the_native_api(site: Site, client: LangGraphClient) -> None:
    thread_id = str(uuid.uuid4())
    await client.runs.wait(thread_id, GRAPH, input=asked(), if_not_exists="create")
    values = await client.runs.wait(thread_id, GRAPH, input=asked("hello again"))
    assert kinds(values["messages"]) == ["human", "ai", "human", "ai"]  # pyright: ignore[reportCallIssue, reportArgumentType]
    turns = site.http.get(f"/threads/{thread_id}").json()["turns"]
    assert [turn["message"] for turn in turns] == [QUESTION, "hello again"]
    assert turns[0]["result"]["answer"]


async def test_a_native_conversation_is_found_and_read(site: Site, client: LangGraphClient) -> None:
    thread_id = site.chat()["thread_id"]
    found = await client.threads.search(metadata={"graph_id": GRAPH}, limit=100)
    [row] = [row for row in found if row["thread_id"] == thread_id]
    assert row["status"] == "idle"
    assert row["values"]["messages"][0]["content"] == QUESTION  # pyright: ignore[reportCallIssue, reportArgumentType, reportOptionalSubscript]


async def test_threads_are_opened_described_searched_and_deleted(client: LangGraphClient) -> None:
    mark = str(uuid.uuid4())
    thread = await client.threads.create(metadata={"mark": mark})
    thread_id = thread["thread_id"]
    assert (await client.threads.create(thread_id=thread_id, if_exists="do_nothing"))["metadata"] == {"mark": mark}
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await client.threads.create(thread_id=thread_id)
    assert caught.value.response.status_code == 409
    patched = await client.threads.update(thread_id, metadata={"note": {"colour": "red"}})
    assert patched["metadata"] == {"mark": mark, "note": {"colour": "red"}}
    for wanted, there in (({"mark": mark}, True), ({"note": {"colour": "red"}}, True), ({"mark": "other"}, False)):
        ids = [row["thread_id"] for row in await client.threads.search(metadata=wanted)]
        assert (thread_id in ids) is there
    assert await client.threads.count(metadata={"mark": mark}) == 1
    await client.threads.delete(thread_id)
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await client.threads.get(thread_id)
    assert caught.value.response.status_code == 404


async def test_history_goes_back_step_by_step_and_a_checkpoint_can_be_forked(client: LangGraphClient) -> None:
    thread_id = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread_id, GRAPH, input=asked())
    history = await client.threads.get_history(thread_id, limit=20)
    assert [state["next"] for state in history][:2] == [[], ["knowledge"]]
    assert history[0]["parent_checkpoint"]["checkpoint_id"] == history[1]["checkpoint"]["checkpoint_id"]  # pyright: ignore[reportOptionalSubscript]
    older = await client.threads.get_history(thread_id, before=history[1]["checkpoint"])  # pyright: ignore[reportArgumentType]
    assert [state["checkpoint"] for state in older] == [state["checkpoint"] for state in history[2:]]
    # As agent-chat-ui regenerates an answer: no input, the checkpoint before it.
    again = await client.runs.wait(thread_id, GRAPH, input=None, checkpoint=history[0]["parent_checkpoint"])
    assert kinds(again["messages"]) == ["human", "ai"]  # pyright: ignore[reportCallIssue, reportArgumentType]
    # As it edits a message: another input at the checkpoint before the first.
    edited = await client.runs.wait(thread_id, GRAPH, input=asked("hello"), checkpoint=history[-1]["checkpoint"])
    assert edited["messages"][-2]["content"] == "hello"  # pyright: ignore[reportCallIssue, reportArgumentType]


async def test_a_run_pauses_before_a_node_and_goes_on(client: LangGraphClient) -> None:
    thread_id = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread_id, GRAPH, input=asked(), interrupt_before=["knowledge"])
    assert (await client.threads.get(thread_id))["status"] == "interrupted"
    assert (await client.threads.get_state(thread_id))["next"] == ["knowledge"]
    values = await client.runs.wait(thread_id, GRAPH, input=None)
    assert kinds(values["messages"]) == ["human", "ai"]  # pyright: ignore[reportCallIssue, reportArgumentType]
    assert (await client.threads.get(thread_id))["status"] == "idle"


async def test_a_state_is_changed(client: LangGraphClient) -> None:
    thread_id = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread_id, GRAPH, input=asked())
    changed = await client.threads.update_state(
        thread_id, {"messages": [{"role": "assistant", "content": "A colleague's words."}]}, as_node="knowledge"
    )
    state = await client.threads.get_state(thread_id, checkpoint=changed["checkpoint"])
    assert state["values"]["messages"][-1]["content"] == "A colleague's words."
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await client.threads.update_state(thread_id, {"messages": []}, as_node="nobody")
    assert caught.value.response.status_code == 422


async def test_runs_are_listed_joined_and_deleted(client: LangGraphClient) -> None:
    thread_id = (await client.threads.create())["thread_id"]
    run = await client.runs.create(thread_id, GRAPH, input=asked(), metadata={"colour": "red"})
    values = await client.runs.join(thread_id, run["run_id"])
    assert kinds(values["messages"]) == ["human", "ai"]  # pyright: ignore[reportCallIssue, reportArgumentType]
    [row] = await client.runs.list(thread_id, status="success")
    assert (row["run_id"], row["metadata"]["colour"]) == (run["run_id"], "red")  # pyright: ignore[reportTypedDictNotRequiredAccess, reportOptionalSubscript]
    assert await client.runs.list(thread_id, status="error") == []
    assert (await client.runs.get(thread_id, run["run_id"]))["status"] == "success"
    await client.runs.delete(thread_id, run["run_id"])
    assert await client.runs.list(thread_id) == []


async def test_a_finished_run_is_read_again_from_any_event(client: LangGraphClient) -> None:
    thread_id = (await client.threads.create())["thread_id"]
    parts = [part async for part in client.runs.stream(thread_id, GRAPH, input=asked(), stream_mode="updates")]
    [run] = await client.runs.list(thread_id)
    whole = [part async for part in client.runs.join_stream(thread_id, run["run_id"], last_event_id="-1")]
    assert [(part.event, part.data) for part in whole] == [(part.event, part.data) for part in parts]
    for position in range(1, len(parts)):
        rest = [part async for part in client.runs.join_stream(thread_id, run["run_id"], last_event_id=str(position))]
        assert [part.event for part in rest] == [part.event for part in parts[position:]]


async def test_a_run_without_a_thread_leaves_none(site: Site, client: LangGraphClient) -> None:
    before = len(await client.threads.search(limit=1000))
    values = await client.runs.wait(None, GRAPH, input=asked())
    assert kinds(values["messages"]) == ["human", "ai"]  # pyright: ignore[reportCallIssue, reportArgumentType]
    parts = [part async for part in client.runs.stream(None, GRAPH, input=asked())]
    assert parts[-1].event == "end"
    assert len(await client.threads.search(limit=1000)) == before
    left = site.rows("SELECT status FROM threads WHERE temporary")
    # Kept for a while, for whoever lost the connection.
    assert [row["status"] for row in left] == ["idle", "idle"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"assistant_id": "nobody", "input": {}}, 422, "no_assistant"),
        ({"assistant_id": GRAPH, "input": None}, 422, "empty_message"),
        ({"assistant_id": GRAPH, "input": {"messages": [{"role": "user", "content": " "}]}}, 422, "empty_message"),
        ({"assistant_id": GRAPH, "input": {"messages": [{"role": "ai", "content": "x"}]}}, 422, "empty_message"),
        ({"assistant_id": GRAPH, "input": {"messages": 7}}, 422, "invalid_input"),
        ({"assistant_id": GRAPH, "input": {"messages": [{"content": "x"}]}}, 422, "invalid_input"),
        ({"assistant_id": GRAPH, "stream_mode": "everything"}, 422, "invalid_request"),
        ({"assistant_id": GRAPH, "input": asked(), "webhook": "http://example.org"}, 422, "unsupported"),
        ({"assistant_id": GRAPH, "input": asked(), "interrupt_before": ["nobody"]}, 422, "no_node"),
        ({"assistant_id": GRAPH, "input": asked(), "context": {"document_ids": ["no such"]}}, 404, "not_found"),
    ],
)
async def test_what_cannot_be_run_is_refused_and_leaves_nothing(
    client: LangGraphClient, body: dict[str, Any], status: int, code: str
) -> None:
    thread_id = (await client.threads.create())["thread_id"]
    answer = await client.http.client.post(f"/threads/{thread_id}/runs/wait", json=body)
    assert (answer.status_code, code in answer.text) == (status, True), answer.text
    assert await client.runs.list(thread_id) == []


async def test_a_thread_that_is_not_there_is_not_made_unasked(client: LangGraphClient) -> None:
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await client.runs.wait(str(uuid.uuid4()), GRAPH, input=asked())
    assert caught.value.response.status_code == 404
