"""`Idempotency-Key`: the same request again leads to the same run, in every protocol."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag
from typing import Any

import httpx
import pytest

from tests.fakes.endpoint import FakeEndpoint, Reply
from tests.server.errors import assert_error
from tests.server.site import ANSWER, QUESTION, Site, parse_events

ASKED = {"assistant_id": "switchyard", "input": {"messages": [{"role": "user", "content": QUESTION}]}}
COMPLETION = {"model": "switchyard", "messages": [{"role": "user", "content": QUESTION}]}


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


def runs(site: Site) -> int:
    return site.rows("SELECT count(*) AS n FROM runs")[0]["n"]


def test_a_stream_again_is_the_same_stream(site: Site) -> None:
    headers, body = key(), {"message": QUESTION}
    first = site.http.post("/chat", json=body, headers=headers)
    before = runs(site)
    again = site.http.post("/chat", json=body, headers=headers)
    assert parse_events(again.text) == parse_events(first.text)
    assert runs(site) == before


def test_an_answer_again_is_the_same_answer(site: Site, fake: FakeEndpoint) -> None:
    headers, body = key(), {"message": QUESTION, "stream": False}
    first = site.http.post("/chat", json=body, headers=headers).json()
    asked = len(fake.requests)
    assert site.http.post("/chat", json=body, headers=headers).json() == first
    assert len(fake.requests) == asked


def test_the_order_of_fields_and_their_defaults_make_no_difference(site: Site) -> None:
    headers = key()
    first = site.http.post("/chat", json={"message": QUESTION, "stream": False}, headers=headers).json()
    body = {"stream": False, "collection": "default", "message": QUESTION}
    assert site.http.post("/chat", json=body, headers=headers).json()["run_id"] == first["run_id"]


def test_requests_without_a_key_or_with_another_are_their_own(site: Site) -> None:
    body = {"message": QUESTION, "stream": False}
    ids = {site.http.post("/chat", json=body, headers=headers).json()["run_id"] for headers in ({}, {}, key(), key())}
    assert len(ids) == 4


def test_many_at_once_share_a_run(site: Site, fake: FakeEndpoint) -> None:
    release, headers = Flag(), key()
    fake.script = lambda _: Reply(f"{ANSWER.rstrip('.')} [1].", hold=release)
    before = runs(site)

    def send(_: int) -> httpx.Response:
        return site.http.post("/chat", json={"message": QUESTION, "stream": False}, headers=headers)

    with ThreadPoolExecutor(8) as callers:
        waiting = callers.map(send, range(8))
        release.set()
        answers = [answer.json() for answer in waiting]
    assert all(answer == answers[0] for answer in answers)
    assert runs(site) == before + 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/chat", {"message": QUESTION, "stream": False}),
        ("/v1/chat/completions", COMPLETION),
        ("/runs/wait", ASKED),
        ("/runs/stream", ASKED),
        ("/runs", ASKED),
    ],
)
def test_every_protocol_knows_the_key(site: Site, path: str, body: dict[str, Any]) -> None:
    headers, before = key(), runs(site)
    first = site.http.post(f"{site.url}{path}", json=body, headers=headers)
    again = site.http.post(f"{site.url}{path}", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (200, 200), again.text
    assert runs(site) == before + 1
    assert again.headers.get("content-location") == first.headers.get("content-location")


@pytest.mark.parametrize("path", ["runs/wait", "runs/stream", "runs"])
def test_a_thread_gets_one_turn(site: Site, path: str) -> None:
    headers, thread_id = key(), str(uuid.uuid4())
    body = {**ASKED, "if_not_exists": "create"}
    for _ in range(2):
        answer = site.http.post(f"{site.url}/threads/{thread_id}/{path}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
    assert len(site.http.get(f"/threads/{thread_id}").json()["turns"]) == 1


def test_the_same_key_for_something_else_is_refused(site: Site) -> None:
    headers = key()
    site.http.post("/chat", json={"message": QUESTION, "stream": False}, headers=headers)
    other = site.http.post("/chat", json={"message": "hello", "stream": False}, headers=headers)
    assert_error(other, 422, "idempotency_key_reused")
    elsewhere = site.http.post(f"{site.url}/runs/wait", json=ASKED, headers=headers)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("sent", ["", "a b", "x" * 256, "ä".encode().decode("latin-1")])
def test_what_cannot_be_a_key_is_refused(site: Site, sent: str) -> None:
    answer = site.http.post("/chat", json={"message": QUESTION}, headers={"Idempotency-Key": sent.encode("latin-1")})  # pyright: ignore[reportArgumentType]
    assert_error(answer, 422, "invalid_idempotency_key")


def test_a_failed_run_again_is_the_same_failure(site: Site, fake: FakeEndpoint) -> None:
    headers, body = key(), {"message": QUESTION, "stream": False}
    fake.script = lambda _: Reply(status=400)
    assert_error(site.http.post("/chat", json=body, headers=headers), 422, "model_refused")
    assert_error(site.http.post("/chat", json=body, headers=headers), 422, "model_refused")
