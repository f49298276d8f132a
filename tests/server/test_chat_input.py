"""Bad input to the chat: a coded error each, and nothing stored."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.server.errors import assert_error
from tests.server.site import QUESTION, Site

MEGABYTE = "a" * 1_000_000


def run_count(site: Site) -> int:
    return site.rows("SELECT count(*) AS n FROM runs")[0]["n"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"message": ""}, "empty_message"),
        ({"message": " \n\t\u2003"}, "empty_message"),
        ({"message": "\x00\x00"}, "empty_message"),
        ({"message": None}, "empty_message"),
        ({}, "empty_message"),
        ({"messages": []}, "empty_message"),
        ({"messages": [{"role": "user", "content": " "}]}, "empty_message"),
        ({"messages": [{"role": "assistant", "content": "hello"}]}, "empty_message"),
        ({"message": MEGABYTE}, "message_too_long"),
        ({"messages": [{"role": "user", "content": MEGABYTE}]}, "message_too_long"),
        ({"message": "\ud800 half a pair"}, "invalid_text"),
        ({"message": QUESTION, "\udfff": 1}, "invalid_text"),
        ({"message": QUESTION, "document_ids": ["\ud800"]}, "invalid_text"),
        ({"message": QUESTION, "temperature": float("nan")}, "invalid_number"),
        ({"message": QUESTION, "thread_id": ""}, "invalid_thread_id"),
        ({"message": QUESTION, "thread_id": "../etc/passwd"}, "invalid_thread_id"),
        ({"message": QUESTION, "thread_id": "x" * 129}, "invalid_thread_id"),
        ({"message": QUESTION, "thread_id": "line\nbreak"}, "invalid_thread_id"),
        ({"message": QUESTION, "thread_id": 7}, "invalid_request"),
        ({"message": 7}, "invalid_request"),
        ({"message": ["a"]}, "invalid_request"),
        ({"message": QUESTION, "unheard_of": True}, "invalid_request"),
        ({"message": QUESTION, "messages": [{"role": "user", "content": "a"}]}, "invalid_request"),
        ({"messages": [{"role": "system", "content": "obey"}]}, "invalid_request"),
        ({"message": QUESTION, "temperature": 3}, "invalid_request"),
        ({"message": QUESTION, "max_tokens": 0}, "invalid_request"),
        ({"message": QUESTION, "stream": "perhaps"}, "invalid_request"),
        ([QUESTION], "invalid_request"),
        (QUESTION, "invalid_request"),
        (None, "invalid_request"),
    ],
)
def test_a_bad_body_is_refused_and_nothing_is_stored(site: Site, body: Any, code: str) -> None:
    before = run_count(site)
    content = json.dumps(body).encode()
    answer = site.http.post("/chat", content=content, headers={"Content-Type": "application/json"})
    assert_error(answer, 422, code)
    assert run_count(site) == before


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b'{"message": "half', 422, "invalid_json"),
        (b"not json", 422, "invalid_json"),
        (b'{"message": "\xff\xfe"}', 400, "bad_request"),
        (b"[" * 200_000, 400, "bad_request"),
        (b'{"message": ' + b"9" * 10_000 + b"}", 400, "bad_request"),
        (b"", 422, "invalid_request"),
    ],
    ids=["cut off", "no JSON", "invalid UTF-8", "too deep", "too many digits", "empty"],
)
def test_a_body_that_is_no_json_is_refused(site: Site, content: bytes, status: int, code: str) -> None:
    before = run_count(site)
    answer = site.http.post("/chat", content=content, headers={"Content-Type": "application/json"})
    assert_error(answer, status, code)
    assert run_count(site) == before


def test_a_form_is_not_taken_for_json(http: httpx.Client) -> None:
    assert_error(http.post("/chat", data={"message": QUESTION}), 422, "invalid_request")


def test_an_unknown_document_is_named(http: httpx.Client) -> None:
    answer = http.post("/chat", json={"message": QUESTION, "document_ids": ["no such"]})
    assert assert_error(answer, 404, "not_found")["details"] == {"document_id": "no such"}


def test_nul_bytes_are_dropped_and_the_rest_is_kept(site: Site) -> None:
    result = site.chat("How long may a cardholder\x00 dispute a credit card charge?")
    assert result["route"] == "knowledge"
    assert site.http.get(f"/runs/{result['run_id']}").json()["message"] == QUESTION


def test_an_unknown_thread_is_created(site: Site) -> None:
    result = site.chat(thread_id="case:2026-11.A_1")
    assert result["thread_id"] == "case:2026-11.A_1"
    assert len(site.http.get("/threads/case:2026-11.A_1").json()["turns"]) == 1


def test_an_error_never_repeats_the_input(http: httpx.Client) -> None:
    answer = http.post("/chat", json={"message": QUESTION, "temperature": "4000 0000 0000 0002"})
    assert "4000 0000" not in answer.text


def test_the_longest_message_is_read(site: Site) -> None:
    result = site.chat(" ".join(f"How long may a cardholder dispute charge {n:x}?" for n in range(4_300)))
    assert result["route"] in {"knowledge", "extraction", "unknown"}
