"""LangGraph's development server on `langgraph.json`, driven with the official client and the embedded model."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from tests.studio.reference import ROOT, development_server

QUESTION = "How many days does a customer have to dispute a credit card transaction?"
INVOICE = (ROOT / "samples" / "invoices" / "invoice-harbour-analytics.txt").read_text(encoding="utf-8")
TURNS = {
    "knowledge": QUESTION,
    "extraction": f"Extract the fields of this invoice:\n\n{INVOICE}",
    "fraud": "Is this fraud? A customer from Ireland who normally spends about 40 EUR just paid 689.00 EUR online at "
    "Zephyr Electronics Direct at 02:14, first time at this shop.",
    "unknown": "Give me a recipe for a lentil soup that serves six.",
}

pytestmark = [pytest.mark.studio, pytest.mark.model, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The development server in a folder of its own: it keeps its threads in the folder where it runs."""
    with development_server(tmp_path_factory.mktemp("studio")) as url:
        yield url


@pytest.fixture
async def client(studio: str) -> AsyncIterator[LangGraphClient]:
    """The official client."""
    async with get_client(url=studio, timeout=600) as opened:
        yield opened


def message(text: str) -> dict[str, Any]:
    """A run's input."""
    return {"messages": [{"role": "user", "content": text}]}


async def test_the_graph_is_there_as_switchyard(client: LangGraphClient) -> None:
    (assistant,) = await client.assistants.search()
    assert (assistant["graph_id"], assistant["name"]) == ("switchyard", "switchyard")
    drawn = await client.assistants.get_graph(assistant["assistant_id"])
    nodes = {node["id"] for node in drawn["nodes"]}
    assert {"route", "knowledge", "extract", "fraud", "unknown"} <= nodes
    schemas = await client.assistants.get_schemas(assistant["assistant_id"])
    assert '"messages"' in json.dumps(schemas["input_schema"])


@pytest.mark.parametrize("route", TURNS)
async def test_each_route_streams_to_its_result(client: LangGraphClient, route: str) -> None:
    thread = await client.threads.create()
    parts = [
        part
        async for part in client.runs.stream(
            thread["thread_id"],
            "switchyard",
            input=message(TURNS[route]),
            stream_mode=["values", "messages-tuple", "custom"],
        )
    ]
    assert not [part for part in parts if part.event == "error"]
    custom = [part.data for part in parts if part.event == "custom"]
    assert custom[0] == {"event": "route", "data": {"routed_to": route, "confidence": custom[0]["data"]["confidence"]}}
    assert custom[-1]["event"] == "result"
    assert custom[-1]["data"]["route"] == route
    streamed = {part.data[0]["content"] for part in parts if part.event == "messages"}
    assert custom[-1]["data"]["answer"] in streamed | {"".join(streamed)}

    state = await client.threads.get_state(thread["thread_id"])
    values = state["values"]
    assert isinstance(values, dict)
    assert values == [part.data for part in parts if part.event == "values"][-1]
    assert [said["type"] for said in values["messages"]] == ["human", "ai"]
    assert values["result"]["route"] == route
    assert bool(values["result"]["citations"]) == (route == "knowledge")
    assert (values["result"]["extraction"] is not None) == (route == "extraction")
    assert (values["result"]["fraud"] is not None) == (route == "fraud")


async def test_a_follow_up_remembers_the_turn_before(client: LangGraphClient) -> None:
    thread = await client.threads.create()
    await client.runs.wait(thread["thread_id"], "switchyard", input=message(QUESTION))
    values = await client.runs.wait(thread["thread_id"], "switchyard", input=message("And for debit cards?"))
    assert isinstance(values, dict)
    assert len(values["messages"]) == 4
    assert "debit card" in values["query"]
    assert "dispute" in values["query"]
    assert values["result"]["route"] == "knowledge"


async def test_the_sample_documents_can_be_attached(client: LangGraphClient) -> None:
    values = await client.runs.wait(
        None, "switchyard", input=message(QUESTION), context={"document_ids": ["dispute-handling.md"]}
    )
    assert isinstance(values, dict)
    assert {citation["document_id"] for citation in values["result"]["citations"]} == {"dispute-handling.md"}
