"""What is kept of each question: the query log and the verdicts."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.fakes.endpoint import PRICE_IN, PRICE_OUT, FakeEndpoint, Reply, usage
from tests.server.errors import assert_error
from tests.server.site import ANSWER, QUESTION, Site


def logged(site: Site, run_id: str) -> dict[str, Any]:
    (row,) = site.rows("SELECT * FROM query_log WHERE run_id = ?", run_id)
    return row


def test_an_answer_is_logged_with_all_that_led_to_it(site: Site, fake: FakeEndpoint) -> None:
    result = site.chat(thread_id="logged")
    row = logged(site, result["run_id"])
    spent = usage(fake.requests[-1], f"{ANSWER.rstrip('.')} [1].")
    assert (row["owner"], row["thread_id"], row["query"], row["status"]) == ("local", "logged", QUESTION, "success")
    assert (row["route"], row["routed_to"], row["answer"]) == ("knowledge", "knowledge", f"{ANSWER} [1]")
    assert json.loads(row["passages"])[0]["chunk_id"] == "disputes#0"
    assert (row["prompt_tokens"], row["completion_tokens"]) == (spent["prompt_tokens"], spent["completion_tokens"])
    cost = (spent["prompt_tokens"] * PRICE_IN + spent["completion_tokens"] * PRICE_OUT) / 1000
    assert row["cost_usd"] == pytest.approx(cost)
    assert result["usage"] == {**{k: spent[k] for k in ("prompt_tokens", "completion_tokens")}, "cost_usd": cost}
    assert json.loads(row["versions"]) == {"answer_model": "fake-answer", "answer_prompt": "prose.v3"}
    assert 0 < row["ttft_ms"] <= row["total_ms"]


def test_an_abstention_is_logged(site: Site) -> None:
    row = logged(site, site.chat("What is the capital of France?")["run_id"])
    assert (row["route"], row["routed_to"], row["cost_usd"]) == ("unknown", "knowledge", 0)


def test_a_failed_run_is_logged(site: Site, fake: FakeEndpoint) -> None:
    fake.script = lambda _: Reply(status=400)
    events = site.stream()
    assert [event.name for event in events][-2:] == ["error", "end"]
    assert events[-2].data["code"] == "model_refused"
    row = logged(site, events[0].run_id)
    assert (row["query"], row["status"], row["answer"]) == (QUESTION, "error", None)


def test_a_verdict_is_stored_and_replaced(site: Site) -> None:
    run_id = site.chat()["run_id"]
    answer = site.http.post("/feedback", json={"run_id": run_id, "score": 1, "comment": "good \U0001f44d"})
    assert (answer.status_code, answer.json()) == (201, {"run_id": run_id, "score": 1})
    site.http.post("/feedback", json={"run_id": run_id, "score": -1, "correction": {"answer": "60 days"}})
    (row,) = site.rows("SELECT * FROM feedback WHERE run_id = ?", run_id)
    assert (row["owner"], row["score"], row["comment"]) == ("local", -1, None)
    assert json.loads(row["correction"]) == {"answer": "60 days"}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"run_id": "nothing"}, 404, "not_found"),
        ({"run_id": "\ud800"}, 422, "invalid_text"),
        ({"score": 0}, 422, "invalid_request"),
        ({"score": "1"}, 422, "invalid_request"),
        ({"score": None}, 422, "invalid_request"),
        ({"comment": "a" * 5001}, 422, "invalid_request"),
        ({"correction": {"label": "\ud800"}}, 422, "invalid_text"),
        ({"correction": {"amount": float("nan")}}, 422, "invalid_number"),
        ({"rating": 5}, 422, "invalid_request"),
    ],
)
def test_a_bad_verdict_is_refused(http: httpx.Client, change: dict[str, Any], status: int, code: str) -> None:
    content = json.dumps({"run_id": "nothing", "score": 1} | change).encode()
    answer = http.post("/feedback", content=content, headers={"Content-Type": "application/json"})
    assert_error(answer, status, code)
