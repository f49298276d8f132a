"""Chat completions in chunks."""

from __future__ import annotations

import json
from threading import Event as Flag
from typing import Any

import httpx
import pytest
from openai import APIError, AsyncOpenAI, OpenAI
from openai.types.chat import (
    ChatCompletionChunk,
    ChatCompletionMessageParam,
    ChatCompletionStreamOptionsParam,
)

from tests.fakes.endpoint import FakeEndpoint, Reply
from tests.server.site import ANSWER, QUESTION, Site
from tests.server.test_events import REPLY


def read(client: OpenAI, text: str = QUESTION, **fields: Any) -> list[ChatCompletionChunk]:
    messages: Any = [{"role": "user", "content": text}]
    return list(client.chat.completions.create(model="switchyard", messages=messages, stream=True, **fields))


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def frames(site: Site, **fields: Any) -> list[str]:
    """The raw events of a stream; comments are skipped."""
    body = {"model": "switchyard", "messages": [{"role": "user", "content": QUESTION}], "stream": True, **fields}
    answer = httpx.post(f"{site.url}/v1/chat/completions", json=body, timeout=60, trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [frame for frame in answer.text.split("\n\n") if frame and not frame.startswith(":")]


def test_chunks_make_up_the_answer(site: Site, client: OpenAI) -> None:
    chunks = read(client)
    first, last = chunks[0], chunks[-1]
    assert text_of(chunks) == f"{ANSWER} [1]"
    assert {(chunk.id, chunk.created, chunk.model, chunk.object) for chunk in chunks} == {
        (first.id, first.created, "switchyard", "chat.completion.chunk")
    }
    assert first.choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert all(chunk.usage is None for chunk in chunks)
    fields = (last.model_extra or {})["switchyard"]
    result = site.http.get(f"/runs/{fields['run_id']}").json()["result"]
    assert {name: result[name] for name in fields} == fields
    assert fields["citations"][0]["quote"] == ANSWER
    assert first.id == f"chatcmpl-{fields['run_id']}"
    assert (first.model_extra or {})["switchyard"] == {name: fields[name] for name in ("run_id", "thread_id")}


def test_every_event_is_data_and_the_last_says_done(site: Site) -> None:
    found = frames(site)
    assert found[-1] == "data: [DONE]"
    assert len(found) > 3
    for frame in found[:-1]:
        assert json.loads(frame.removeprefix("data: "))["object"] == "chat.completion.chunk"
        assert "usage" not in json.loads(frame.removeprefix("data: "))


def test_usage_comes_last_where_it_is_asked_for(site: Site, client: OpenAI) -> None:
    chunks = read(client, stream_options={"include_usage": True})
    *others, last = chunks
    assert last.choices == []
    assert last.usage is not None
    fields = (others[-1].model_extra or {})["switchyard"]
    usage = site.http.get(f"/runs/{fields['run_id']}").json()["result"]["usage"]
    assert usage["completion_tokens"] > 0
    assert last.usage.prompt_tokens == usage["prompt_tokens"]
    assert last.usage.completion_tokens == usage["completion_tokens"]
    assert last.usage.total_tokens == usage["prompt_tokens"] + usage["completion_tokens"]
    asked = [
        json.loads(frame.removeprefix("data: ")) for frame in frames(site, stream_options={"include_usage": True})[:-1]
    ]
    assert [chunk["usage"] is None for chunk in asked] == [True] * (len(asked) - 1) + [False]


async def test_the_asynchronous_client_reads_chunks(site: Site) -> None:
    async with AsyncOpenAI(base_url=f"{site.url}/v1", api_key="anything", max_retries=0) as client:
        stream = await client.chat.completions.create(
            model="switchyard", messages=[{"role": "user", "content": QUESTION}], stream=True
        )
        chunks = [chunk async for chunk in stream]
    assert text_of(chunks) == f"{ANSWER} [1]"


def test_the_client_s_own_accumulation_gives_the_completion(client: OpenAI) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": QUESTION}]
    options: ChatCompletionStreamOptionsParam = {"include_usage": True}
    with client.chat.completions.stream(model="switchyard", messages=messages, stream_options=options) as stream:
        answer = stream.get_final_completion()
    assert answer.choices[0].message.content == f"{ANSWER} [1]"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens > 0


def test_what_turns_out_unsupported_is_never_sent(client: OpenAI, fake: FakeEndpoint) -> None:
    fake.script = lambda _: Reply(f"Card holders love bananas from Ecuador [1]. {ANSWER.rstrip('.')} [1].")
    assert text_of(read(client)) == f"{ANSWER} [1]"


def test_a_run_that_is_stopped_ends_the_stream_with_an_error(site: Site, client: OpenAI, fake: FakeEndpoint) -> None:
    release = Flag()
    fake.script = lambda _: Reply(REPLY, hold=release, hold_after=2)
    messages: Any = [{"role": "user", "content": QUESTION}]
    with client.chat.completions.create(model="switchyard", messages=messages, stream=True) as stream:
        chunks = iter(stream)
        run_id = (next(chunks).model_extra or {})["switchyard"]["run_id"]
        assert site.http.post(f"/runs/{run_id}/cancel").json() == {"cancelled": True}
        with pytest.raises(APIError) as caught:
            list(chunks)
    release.set()
    assert (caught.value.code, caught.value.type, caught.value.param) == ("cancelled", "server_error", None)
    assert caught.value.message == "The run was cancelled."


def test_a_client_that_leaves_does_not_stop_the_run(site: Site, client: OpenAI, fake: FakeEndpoint) -> None:
    release = Flag()
    fake.script = lambda _: Reply(REPLY, hold=release, hold_after=2)
    messages: Any = [{"role": "user", "content": QUESTION}]
    with client.chat.completions.create(model="switchyard", messages=messages, stream=True) as stream:
        run_id = (next(iter(stream)).model_extra or {})["switchyard"]["run_id"]
    release.set()
    assert site.events(run_id)[-2].data["answer"] == f"{ANSWER} [1]"
    assert site.http.get(f"/runs/{run_id}").json()["status"] == "success"
