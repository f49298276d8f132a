"""Errors in OpenAI's shape, as its client reads them."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from agent.settings import Settings
from server.app import create_app
from server.application import Application
from server.openai.errors import openai_error
from tests.fakes.background import listening
from tests.fakes.endpoint import FakeEndpoint, Reply
from tests.server.openai.test_completions import ask
from tests.server.site import QUESTION, Site
from tests.server.test_chat_input import MEGABYTE, run_count
from tests.server.test_events import REPLY, wait_for_run

USER = {"role": "user", "content": QUESTION}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
AUDIO = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
FILE = {"type": "file", "file": {"file_id": "a"}}


def post(site: Site, body: Any, **kwargs: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **kwargs.pop("headers", {})}
    url = f"{site.url}/v1/chat/completions"
    return httpx.post(url, content=content, headers=headers, timeout=60, trust_env=False, **kwargs)


def assert_openai_error(answer: httpx.Response, status: int, code: str, param: str | None = None) -> dict[str, Any]:
    """The answer is this error, in OpenAI's shape; returns its `error`."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/json"
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-trace-id"])
    body = answer.json()
    assert set(body) == {"error"}
    error = body["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["code"], error["param"]) == (code, param), error
    assert error["message"].strip()
    assert "Traceback" not in answer.text
    return error


def wait_until_asked(fake: FakeEndpoint, question: str) -> None:
    """Returns once the model works on the question."""
    for _ in range(1000):
        if any(question in message["content"] for body in fake.requests for message in body["messages"]):
            return
        Flag().wait(0.01)
    raise AssertionError("the model was not asked")


def body_with(**fields: Any) -> dict[str, Any]:
    return {"model": "switchyard", "messages": [USER], **fields}


def content(*parts: Any) -> dict[str, Any]:
    return body_with(messages=[{"role": "user", "content": list(parts)}])


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"messages": [USER]}, "invalid_request", "model"),
        ({"model": "switchyard"}, "invalid_request", "messages"),
        (body_with(model=None), "invalid_request", "model"),
        (body_with(messages=[]), "empty_message", "messages"),
        (body_with(messages="hello"), "invalid_request", "messages"),
        (body_with(messages=[{"role": "user", "content": " \n"}]), "empty_message", "messages"),
        (body_with(messages=[{"role": "user", "content": "\x00"}]), "empty_message", "messages"),
        (body_with(messages=[{"role": "user"}]), "empty_message", "messages"),
        (body_with(messages=[USER, {"role": "assistant", "content": "hello"}]), "empty_message", "messages"),
        (body_with(messages=[{"role": "system", "content": "hello"}]), "empty_message", "messages"),
        (body_with(messages=[{"role": "robot", "content": "hello"}]), "invalid_request", "messages[0].role"),
        (body_with(messages=[USER, {"role": "user", "content": 7}]), "invalid_request", "messages[1].content"),
        (body_with(messages=[{"role": "user", "content": MEGABYTE}]), "message_too_long", "messages[0].content"),
        (content({"type": "text", "text": MEGABYTE}), "message_too_long", "messages[0].content"),
        (content({"type": "text", "text": "What is this?"}, IMAGE), "unsupported_value", "messages[0].content[1].type"),
        (content(AUDIO), "unsupported_value", "messages[0].content[0].type"),
        (content(FILE), "unsupported_value", "messages[0].content[0].type"),
        (content({"type": "text"}), "invalid_request", "messages[0].content[0].text"),
        (content("bare"), "invalid_request", "messages[0].content[0]"),
        (body_with(messages=[{"role": "user", "content": "\ud800"}]), "invalid_text", None),
        (body_with(top_p=float("nan")), "invalid_number", None),
        (body_with(n=2), "unsupported_value", "n"),
        (body_with(n=0), "unsupported_value", "n"),
        (body_with(logprobs=True), "unsupported_value", "logprobs"),
        (body_with(top_logprobs=5), "unsupported_value", "top_logprobs"),
        (body_with(response_format={"type": "json_object"}), "unsupported_value", "response_format.type"),
        (body_with(response_format={"type": "json_schema"}), "unsupported_value", "response_format.type"),
        (body_with(tool_choice="required"), "unsupported_value", "tool_choice"),
        (body_with(tool_choice={"type": "function"}), "unsupported_value", "tool_choice"),
        (body_with(function_call={"name": "look"}), "unsupported_value", "function_call"),
        (body_with(modalities=["text", "audio"]), "unsupported_value", "modalities"),
        (body_with(temperature=3), "invalid_request", "temperature"),
        (body_with(max_tokens=0), "invalid_request", "max_tokens"),
        (body_with(stream="perhaps"), "invalid_request", "stream"),
        (body_with(metadata={"thread_id": "../etc"}), "invalid_thread_id", "metadata.thread_id"),
        (body_with(metadata=[]), "invalid_request", "metadata"),
        ([USER], "invalid_request", None),
        (b'{"model": "switchyard", "mess', "invalid_json", None),
        (b"", "invalid_request", None),
        (b"[" * 200_000, "bad_request", None),
    ],
    ids=lambda value: f"{value!r:.60}",
)
def test_a_bad_body_is_a_bad_request_and_nothing_is_stored(site: Site, body: Any, code: str, param: str | None) -> None:
    before = run_count(site)
    error = assert_openai_error(post(site, body), 400, code, param)
    assert error["type"] == "invalid_request_error"
    assert run_count(site) == before


def test_the_client_raises_what_it_knows(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, n=2)
    assert (caught.value.code, caught.value.param, caught.value.type) == (
        "unsupported_value",
        "n",
        "invalid_request_error",
    )


def test_an_unknown_model_is_not_found_and_nothing_is_stored(site: Site) -> None:
    before = run_count(site)
    error = assert_openai_error(post(site, body_with(model="gpt-4o")), 404, "model_not_found", "model")
    assert error["type"] == "invalid_request_error"
    assert run_count(site) == before


def test_an_error_never_repeats_the_input(site: Site) -> None:
    for body in (body_with(temperature="4000 0000 0000 0002"), body_with(model="4000 0000 0000 0002")):
        assert "4000 0000" not in post(site, body).text


@pytest.mark.parametrize(("path", "status"), [("nothing", 404), ("chat/completions", 405), ("", 404)])
def test_unknown_routes_keep_the_shape(site: Site, path: str, status: int) -> None:
    answer = httpx.get(f"{site.url}/v1/{path}", trust_env=False)
    assert_openai_error(answer, status, "not_found" if status == 404 else "method_not_allowed")


def test_what_is_refused_on_the_way_in_keeps_the_shape(site: Site) -> None:
    error = assert_openai_error(post(site, body_with(), headers={"Origin": "http://evil.example"}), 403, "cross_origin")
    assert error["type"] == "permission_error"
    assert_openai_error(post(site, body_with(), headers={"Host": "evil.example"}), 400, "invalid_host")
    large = b" " * (site.settings.max_upload_mb * 2**20 + 1)
    assert_openai_error(post(site, large), 413, "too_large")


def test_other_paths_keep_the_native_shape(site: Site) -> None:
    assert "trace_id" in httpx.get(f"{site.url}/v1nothing", trust_env=False).json()["error"]


def test_a_stopped_run_is_a_conflict_that_the_client_does_not_repeat(site: Site, fake: FakeEndpoint) -> None:
    release = Flag()
    fake.script = lambda _: Reply(REPLY, hold=release)
    question = "How long may a cardholder dispute a credit card charge, stopped?"
    patient = OpenAI(base_url=f"{site.url}/v1", api_key="anything", max_retries=2)
    with patient, ThreadPoolExecutor(1) as caller:
        waiting = caller.submit(ask, patient, question)
        wait_until_asked(fake, question)
        assert site.http.post(f"/runs/{wait_for_run(site, 'stopped?')}/cancel").json() == {"cancelled": True}
        with pytest.raises(openai.ConflictError) as caught:
            waiting.result()
    release.set()
    assert caught.value.code == "cancelled"
    assert site.rows("SELECT count(*) AS n FROM runs WHERE message = ?", question) == [{"n": 1}]


def test_a_server_that_stops_says_when_to_try_again(site: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = Settings(data_dir=tmp_path_factory.mktemp("stopping"), samples="off", models=site.settings.models)
    settings.cache_folder.symlink_to(site.settings.cache_folder.resolve())
    opened: list[Application] = []
    with listening(create_app(settings, on_open=opened.append)) as url:
        opened[0].runs._draining = True  # pyright: ignore[reportPrivateUsage]
        answer = httpx.post(f"{url}/v1/chat/completions", json=body_with(), trust_env=False)
    error = assert_openai_error(answer, 503, "shutting_down")
    assert error["type"] == "server_error"
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request_error"), (403, "permission_error"), (429, "rate_limit_error"), (503, "server_error")],
)
def test_the_status_decides_the_type(status: int, kind: str) -> None:
    assert openai_error(status, "code", "message").error.type == kind
