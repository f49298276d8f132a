"""What a model writes is guarded in every stream mode, and calls that are not meant for people are in none."""

from __future__ import annotations

import json

import pytest
from langgraph_sdk.client import LangGraphClient

from agent.prompts import all_prompts
from tests.fakes.endpoint import FakeEndpoint, Reply
from tests.server.langgraph.test_python_sdk import GRAPH, asked
from tests.server.site import FOLLOW_UP

MODES = ["values", "updates", "messages", "messages-tuple", "custom", "debug", "tasks", "checkpoints", "events"]
IMAGE = "![x](https://evil.example/p.png?d=1)"
PROSE, REWRITE = (next(p.text for p in reversed(all_prompts()) if p.name == name) for name in ("prose", "rewrite"))


async def everything(client: LangGraphClient, thread_id: str, mode: str, question: str | None = None) -> str:
    """All that one run tells in a mode."""
    given = asked() if question is None else asked(question)
    stream = client.runs.stream(thread_id, GRAPH, input=given, stream_mode=mode)  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownVariableType]
    return "".join([json.dumps(part.data) async for part in stream])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("written", [f"Sure: {PROSE}", f"{REWRITE}\n{REWRITE}"])
async def test_no_stream_mode_tells_a_prompt(
    client: LangGraphClient, fake: FakeEndpoint, mode: str, written: str
) -> None:
    thread_id = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread_id, GRAPH, input=asked())
    fake.script = lambda _: Reply(written)
    told = await everything(client, thread_id, mode) + await everything(client, thread_id, mode, FOLLOW_UP)
    words = [" ".join(prompt.split()[at : at + 8]) for prompt in (PROSE, REWRITE) for at in range(0, 30, 5)]
    assert not [run for run in words if json.dumps(run)[1:-1] in told]


@pytest.mark.parametrize("mode", ["messages", "messages-tuple", "custom", "values"])
async def test_no_stream_mode_carries_an_image(client: LangGraphClient, fake: FakeEndpoint, mode: str) -> None:
    fake.script = lambda _: Reply(f"A look at the rules. {IMAGE} That is all.")
    told = await everything(client, (await client.threads.create())["thread_id"], mode)
    assert told
    assert "evil.example" not in told
    if mode != "values":
        assert "look" in told


async def test_an_answer_is_drafted_piece_by_piece(client: LangGraphClient) -> None:
    thread_id = (await client.threads.create())["thread_id"]
    stream = client.runs.stream(thread_id, GRAPH, input=asked(), stream_mode="messages-tuple")
    pieces = [part.data[0] async for part in stream if part.event == "messages"]
    drafts = [piece for piece in pieces if piece["type"] == "AIMessageChunk"]
    assert len(drafts) > 3
    assert len({piece["id"] for piece in drafts}) == 1
    state = await client.threads.get_state(thread_id)
    answer = state["values"]["messages"][-1]["content"]  # pyright: ignore[reportCallIssue, reportArgumentType]
    assert "".join(piece["content"] for piece in drafts).replace(" [1].", ". [1]").strip() == answer
