"""Rate limits and budgets over HTTP, in the shape of each protocol; nothing is stored of what is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from threading import Event as Flag
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from tests.fakes.endpoint import FakeEndpoint, Reply
from tests.server.errors import assert_protocol_error
from tests.server.keyed import Keyed
from tests.server.site import QUESTION, Site

ASKED = {"assistant_id": "switchyard", "input": {"messages": [{"role": "user", "content": QUESTION}]}}
OPENAI = {"model": "switchyard", "messages": [{"role": "user", "content": QUESTION}]}
# No reader of ours knows such a field: the model is asked.
WHO_SIGNS = {"type": "object", "properties": {"signatory": {"type": "string", "description": "Who signs?"}}}
TRANSACTION = {"amount": 2400, "currency": "EUR", "merchant": "ElectroWorld"}
# Everything that a model works on.
SPENDING: list[tuple[str, dict[str, Any]]] = [
    ("/api/v1/chat", {"message": QUESTION, "stream": False}),
    ("/api/v1/chat", {"message": QUESTION}),
    ("/api/v1/extract", {"text": "The branch manager signs the form.", "schema": WHO_SIGNS}),
    ("/api/v1/fraud/score", {"transaction": TRANSACTION}),
    ("/v1/chat/completions", OPENAI),
    ("/v1/chat/completions", {**OPENAI, "stream": True}),
    ("/threads/THREAD/runs", ASKED),
    ("/threads/THREAD/runs/stream", ASKED),
    ("/threads/THREAD/runs/wait", ASKED),
    ("/threads/new-thread/runs/wait", {**ASKED, "if_not_exists": "create"}),
    ("/runs", ASKED),
    ("/runs/stream", ASKED),
    ("/runs/wait", ASKED),
]


def wait_until(happens: Callable[[], bool]) -> None:
    for _ in range(3000):
        if happens():
            return
        Flag().wait(0.01)
    raise AssertionError("it does not happen")


def usage(site: Site, key: str) -> dict[str, Any]:
    rows = site.rows("SELECT * FROM key_usage WHERE key_id = ?", key.split("_")[1])
    return rows[0] if rows else {"requests": 0, "prompt_tokens": 0, "completion_tokens": 0, "cost_usd": 0.0}


def spend(site: Site, key: str, tokens: int) -> None:
    """As if runs of today had cost this much."""
    row = (key.split("_")[1], datetime.now(UTC).date().isoformat(), 1, tokens, 0, 0.0)
    with closing(sqlite3.connect(site.settings.app_database)) as database, database:
        database.execute("INSERT INTO key_usage VALUES (?, ?, ?, ?, ?, ?)", row)


@pytest.mark.parametrize("path", ["/api/v1/threads", "/v1/models", "/assistants/switchyard", "/nothing"])
def test_too_many_requests_are_told_when_to_come_again(keyed: Keyed, path: str) -> None:
    key = keyed.make("dave", "chat", requests_per_minute=2)
    for _ in range(2):
        assert keyed.request(key, "GET", path).status_code in {200, 404}
    answer = keyed.request(key, "GET", path)
    assert_protocol_error(answer, 429, "rate_limited")
    assert 1 <= int(answer.headers["retry-after"]) <= 30
    assert keyed.request("ann", "GET", path).status_code in {200, 404}


def test_refused_requests_count_too(keyed: Keyed) -> None:
    key = keyed.make("dave", "chat", requests_per_minute=2)
    assert keyed.request(key, "DELETE", "/api/v1/documents/x").status_code == 403
    assert keyed.request(key, "GET", "/api/v1/nothing").status_code == 404
    assert_protocol_error(keyed.request(key, "GET", "/api/v1/threads"), 429, "rate_limited")


def test_probes_and_the_page_have_no_limit(keyed: Keyed) -> None:
    key = keyed.make("dave", "chat", requests_per_minute=1)
    for _ in range(5):
        assert keyed.request(key, "GET", "/readyz").status_code == 200


@pytest.mark.parametrize(("path", "body"), SPENDING, ids=lambda value: value if isinstance(value, str) else "")
def test_a_spent_budget_is_refused_before_anything_is_stored(keyed: Keyed, path: str, body: dict[str, Any]) -> None:
    key = keyed.make("erin", "chat", tokens_per_day=100)
    thread_id = keyed.request(key, "POST", "/threads", json={}).json()["thread_id"]
    spend(keyed.site, key, 100)
    before = keyed.site.rows("SELECT thread_id FROM threads UNION SELECT run_id FROM runs")
    answer = keyed.request(key, "POST", path.replace("THREAD", thread_id), json=body)
    assert_protocol_error(answer, 429, "budget_spent")
    assert 1 <= int(answer.headers["retry-after"]) <= 86_400
    assert keyed.site.rows("SELECT thread_id FROM threads UNION SELECT run_id FROM runs") == before


def test_reading_goes_on_with_a_spent_budget(keyed: Keyed) -> None:
    key = keyed.make("erin", "chat", "documents", tokens_per_day=100)
    spend(keyed.site, key, 100)
    for path in ("/api/v1/threads", "/api/v1/documents", "/v1/models"):
        assert keyed.request(key, "GET", path).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [each for each in SPENDING if each[0] not in {"/threads/THREAD/runs", "/runs", "/threads/new-thread/runs/wait"}],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_model_did_is_counted_for_the_key(keyed: Keyed, path: str, body: dict[str, Any]) -> None:
    key = keyed.make("ann", "chat")
    thread_id = keyed.request(key, "POST", "/threads", json={}).json()["thread_id"]
    answer = keyed.request(key, "POST", path.replace("THREAD", thread_id), json=body)
    assert answer.status_code == 200, answer.text
    counted = usage(keyed.site, key)
    assert counted["requests"] == 1
    assert counted["prompt_tokens"] > 0
    assert counted["completion_tokens"] > 0


@pytest.mark.parametrize(
    ("method", "ending"), [("POST", "/cancel?wait=1"), ("POST", "/cancel?wait=1&action=rollback"), ("DELETE", "")]
)
def test_what_is_cut_off_is_counted_for_the_key_too(keyed: Keyed, fake: FakeEndpoint, method: str, ending: str) -> None:
    release = Flag()
    question = f"How long may a cardholder dispute a credit card charge, {method}{ending}?"
    fake.script = lambda _: Reply("The window is long.", hold=release)
    key = keyed.make("ann", "chat")
    thread = keyed.request(key, "POST", "/threads", json={}).json()["thread_id"]
    asked = {**ASKED, "input": {"messages": [{"role": "user", "content": question}]}}
    run = keyed.request(key, "POST", f"/threads/{thread}/runs", json=asked).json()["run_id"]
    wait_until(lambda: any(question in str(body["messages"]) for body in fake.requests))
    assert keyed.request(key, method, f"/threads/{thread}/runs/{run}{ending}").status_code < 300
    wait_until(lambda: usage(keyed.site, key)["requests"] == 1)
    assert usage(keyed.site, key)["prompt_tokens"] > 0
    release.set()


def test_the_count_is_that_of_the_results(keyed: Keyed) -> None:
    key = keyed.make("ann", "chat")
    results = [
        keyed.request(key, "POST", "/api/v1/chat", json={"message": QUESTION, "stream": False}).json()["usage"]
        for _ in range(2)
    ]
    counted = usage(keyed.site, key)
    for name in ("prompt_tokens", "completion_tokens", "cost_usd"):
        assert counted[name] == sum(result[name] for result in results)
    assert usage(keyed.site, keyed.make("ann", "chat"))["requests"] == 0


def test_the_run_says_which_key_started_it(keyed: Keyed) -> None:
    key = keyed.make("ann", "chat")
    result = keyed.request(key, "POST", "/api/v1/chat", json={"message": QUESTION, "stream": False}).json()
    (row,) = keyed.site.rows("SELECT owner, key_id FROM runs WHERE run_id = ?", result["run_id"])
    assert row == {"owner": "ann", "key_id": key.split("_")[1]}


def test_openai_s_client_reads_both_and_does_not_wait_for_tomorrow(keyed: Keyed) -> None:
    key = keyed.make("erin", "chat", tokens_per_day=100)
    spend(keyed.site, key, 100)
    with OpenAI(base_url=f"{keyed.site.url}/v1", api_key=key, max_retries=5) as client:
        with pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(**OPENAI)  # pyright: ignore[reportCallIssue, reportArgumentType]
        assert caught.value.code == "budget_spent"
    assert caught.value.response.headers["x-should-retry"] == "false"


def test_with_auth_off_nothing_is_limited(site: Site) -> None:
    settings = {name: getattr(site.settings, name) for name in ("auth", "requests_per_minute")}
    assert settings == {"auth": "off", "requests_per_minute": 300}
    with httpx.Client(base_url=site.url, trust_env=False) as client:
        assert {client.get("/api/v1/runs/x").status_code for _ in range(400)} == {404}
    assert site.rows("SELECT * FROM key_usage") == []
