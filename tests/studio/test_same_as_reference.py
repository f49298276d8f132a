"""One script of the official client against LangGraph's development server and against ours: the same transcript."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from typing import Any

import httpx
import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from tests.fakes.endpoint import fake_endpoint
from tests.server.site import serve, settings_for
from tests.studio.reference import development_server

pytestmark = [pytest.mark.studio, pytest.mark.timeout(600)]

GRAPH = "switchyard"
NOWHERE = "00000000-0000-4000-8000-000000000000"
TRANSACTION = (
    "Is this fraud? A customer from Ireland who normally spends about 40 EUR just paid 689.00 EUR online at "
    "Zephyr Electronics Direct at 02:14, first time at this shop."
)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|run--\S+")
# What a deployment says of itself, and of the machine it runs on.
_OF_THE_SERVER = {"kwargs", "config", "parent_config", "context", "user_id", "versions", "path", "x-request-id"}
_TIMES = {"created_at", "updated_at", "state_updated_at", "timestamp"}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[dict[str, str]]:
    """The addresses of both, without documents, at the same scripted model."""
    with fake_endpoint() as fake:
        ours = settings_for(tmp_path_factory.mktemp("ours"), fake, pytestconfig)
        environment = {"SWITCHYARD_MODELS": str(ours.models), "SWITCHYARD_SAMPLES": "off"}
        with development_server(tmp_path_factory.mktemp("reference"), **environment) as url, serve(ours) as site:
            yield {"reference": url, "ours": site.url}


def asked(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


async def refused(call: Awaitable[Any]) -> int:
    """The status of an answer that is an error."""
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await call
    return caught.value.response.status_code


async def streamed(client: LangGraphClient, thread_id: str, modes: Sequence[Any], **fields: Any) -> list[Any]:
    """A run's events, without the `end` that only we send."""
    stream = client.runs.stream(thread_id, GRAPH, stream_mode=list(modes), **fields)
    return [(part.event, part.data) async for part in stream if part.event != "end"]


async def threads(client: LangGraphClient) -> list[Any]:
    thread = await client.threads.create(metadata={"colour": "red"})
    thread_id = thread["thread_id"]
    return [
        thread,
        await refused(client.threads.create(thread_id=thread_id)),
        await client.threads.create(thread_id=thread_id, if_exists="do_nothing"),
        await client.threads.update(thread_id, metadata={"size": {"cm": 3}}),
        [row["thread_id"] == thread_id for row in await client.threads.search(metadata={"size": {"cm": 3}})],
        await client.threads.search(metadata={"colour": "blue"}),
        await client.threads.get_state(thread_id),
        await client.threads.get_history(thread_id),
        await client.threads.delete(thread_id),
        await refused(client.threads.get(thread_id)),
        await refused(client.threads.get_state(NOWHERE)),
        await refused(client.runs.list(NOWHERE)),
    ]


async def a_turn(client: LangGraphClient) -> list[Any]:
    thread_id = (await client.threads.create())["thread_id"]
    return [
        await streamed(client, thread_id, ["values"], input=asked("hello")),
        await client.threads.get(thread_id),
        await client.threads.get_state(thread_id),
        await client.threads.get_history(thread_id, limit=20),
        await client.runs.list(thread_id),
        await streamed(client, thread_id, ["updates", "custom"], input=asked(TRANSACTION)),
        [message["type"] for message in (await client.runs.wait(thread_id, GRAPH, input=asked("hello")))["messages"]],  # pyright: ignore[reportCallIssue, reportArgumentType]
    ]


async def every_mode(client: LangGraphClient) -> list[Any]:
    thread_id = (await client.threads.create())["thread_id"]
    modes = ["values", "updates", "messages-tuple", "debug", "tasks", "checkpoints"]
    seen = await streamed(client, thread_id, modes, input=asked("hello"))
    partial = await streamed(client, thread_id, ["messages"], input=asked("hello"))
    return [[name for name, _ in seen], [data for name, data in seen if name == "debug"], [name for name, _ in partial]]


async def callbacks(client: LangGraphClient) -> list[Any]:
    thread_id = (await client.threads.create())["thread_id"]
    parts = await streamed(client, thread_id, ["values", "events"], input=asked("hello"))
    told = [data for name, data in parts if name == "events"]
    steps = [(event["event"], event["name"], event["tags"], sorted(event["data"])) for event in told]
    return [[name for name, _ in parts], steps, [event["run_id"] == parts[0][1]["run_id"] for event in told]]


async def pauses(client: LangGraphClient) -> list[Any]:
    thread_id = (await client.threads.create())["thread_id"]
    return [
        await streamed(client, thread_id, ["values"], input=asked("hello"), interrupt_before=["unknown"]),
        await client.threads.get(thread_id),
        (await client.threads.get_state(thread_id))["next"],
        await client.runs.list(thread_id),
        await client.runs.wait(thread_id, GRAPH, input=None),
        (await client.threads.get(thread_id))["status"],
    ]


async def branches(client: LangGraphClient) -> list[Any]:
    thread_id = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread_id, GRAPH, input=asked("hello"))
    latest, before, *_, first = await client.threads.get_history(thread_id, limit=20)
    again = await client.runs.wait(thread_id, GRAPH, input=None, checkpoint=latest["parent_checkpoint"])
    edited = await client.runs.wait(thread_id, GRAPH, input=asked("good evening"), checkpoint=first["checkpoint"])
    changed = await client.threads.update_state(
        thread_id, {"messages": [{"role": "assistant", "content": "Changed."}]}, as_node="unknown"
    )
    return [
        before["next"],
        again,
        edited,
        await client.threads.get_state(thread_id),
        await client.threads.get_state(thread_id, checkpoint=changed["checkpoint"]),
        [state["next"] for state in await client.threads.get_history(thread_id, limit=50)],
    ]


async def refusals(client: LangGraphClient) -> list[Any]:
    thread_id = (await client.threads.create())["thread_id"]
    return [
        await refused(client.runs.wait(NOWHERE, GRAPH, input=asked("hello"))),
        await refused(client.runs.wait(thread_id, "nobody", input=asked("hello"))),
        await refused(client.runs.get(thread_id, NOWHERE)),
        await refused(client.runs.cancel(thread_id, NOWHERE)),
        await refused(client.runs.delete(thread_id, NOWHERE)),
        await refused(client.assistants.get(NOWHERE)),
    ]


async def the_assistant(client: LangGraphClient) -> list[Any]:
    [assistant] = await client.assistants.search()
    graph = await client.assistants.get_graph(assistant["assistant_id"])
    schemas = await client.assistants.get_schemas(assistant["assistant_id"])
    return [
        assistant,
        assistant["assistant_id"],
        sorted(node["id"] for node in graph["nodes"]),
        sorted((edge["source"], edge["target"]) for edge in graph["edges"]),
        sorted(schemas),
        schemas["input_schema"],
    ]


SCRIPTS = [threads, a_turn, every_mode, callbacks, pauses, branches, refusals, the_assistant]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
async def test_the_transcripts_agree(servers: Mapping[str, str], script: Any) -> None:
    transcripts: dict[str, Any] = {}
    for name, url in servers.items():
        async with get_client(url=url, api_key=None, timeout=60) as client:
            transcripts[name] = [_comparable(entry) for entry in await script(client)]
    assert list(_differences("", transcripts["ours"], transcripts["reference"])) == []


def _comparable(value: Any) -> Any:
    """A transcript's entry without what must differ: ids, times, and what a server says of itself."""
    if isinstance(value, Mapping):
        return {
            name: "a time" if name in _TIMES else _comparable(item)
            for name, item in value.items()
            if name not in _OF_THE_SERVER and not name.startswith(("langgraph_", "langsmith_", "__", "run_attempt"))
        }
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_comparable(item) for item in value]
    return _ID.sub("an id", value) if isinstance(value, str) else value


def _differences(place: str, ours: Any, reference: Any) -> Iterator[str]:
    """Where two entries differ, and how."""
    if isinstance(ours, Mapping) and isinstance(reference, Mapping):
        # The reference keeps an input as it was sent, we as the message that it is.
        for name in {**ours, **reference} if place != "[3][3].tasks[0]" else ours.keys() - {"result"}:
            yield from _differences(f"{place}.{name}", ours.get(name, "nothing"), reference.get(name, "nothing"))
    elif isinstance(ours, list) and isinstance(reference, list) and len(ours) == len(reference):
        for position, pair in enumerate(zip(ours, reference, strict=True)):
            yield from _differences(f"{place}[{position}]", *pair)
    elif ours != reference:
        yield f"{place}: {ours!r} instead of {reference!r}"
