"""The queue of reviews and decisions over HTTP."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.review import WAITING
from tests.fakes.endpoint import FakeEndpoint, Reply
from tests.server.errors import assert_error
from tests.server.keyed import Keyed
from tests.server.reviews.waiting import (
    TRANSACTION,
    borderline,
    decide,
    open_reviews,
    paused,
    said,
    thread_status,
    turns,
)
from tests.server.site import QUESTION, Site, open_site


def test_a_borderline_chat_ends_with_a_question_to_a_person(site: Site, fake: FakeEndpoint) -> None:
    fake.script = borderline
    events = site.stream(TRANSACTION)
    assert [event.name for event in events] == ["run", "route", "status", "token", "result", "end"]
    result = events[-2].data
    assert result["interrupt"]["decisions"] == ["approve", "reject", "escalate"]
    assert result["answer"].endswith(WAITING)
    assert events[3].data["text"] == result["answer"]
    assert site.http.get(f"/runs/{result['run_id']}").json()["status"] == "success"
    assert thread_status(site, result["thread_id"]) == "interrupted"
    (review,) = [row for row in open_reviews(site) if row["run_id"] == result["run_id"]]
    assert (review["status"], review["message"], review["outcome"]) == ("pending", TRANSACTION, None)
    assert review["request"] == result["interrupt"]
    assert review["fraud"] == result["fraud"]
    assert review["due_at"] == pytest.approx(review["created_at"] + 24 * 3600)
    assert [step["action"] for step in review["history"]] == ["asked"]


@pytest.mark.parametrize(
    ("decision", "fields", "label", "overridden"),
    [
        ("approve", {}, "FRAUD", False),
        ("approve", {"label": "FRAUD", "comment": " "}, "FRAUD", False),
        ("reject", {"comment": "A known customer."}, "LEGITIMATE", True),
        ("reject", {"label": "LEGITIMATE"}, "LEGITIMATE", True),
    ],
)
def test_a_decision_reaches_the_conversation_beside_the_score(
    site: Site, fake: FakeEndpoint, decision: str, fields: dict[str, str], label: str, overridden: bool
) -> None:
    asked = paused(site, fake)
    fake.requests.clear()
    review = decide(site, asked["run_id"], decision, **fields)
    comment = (fields.get("comment") or "").strip() or None
    outcome = review["outcome"]
    assert (review["status"], outcome["label"], outcome["overridden"]) == ("decided", label, overridden)
    assert (outcome["decision"], outcome["comment"], outcome["reviewer"]) == (decision, comment, "local")
    assert [step["action"] for step in review["history"]] == ["asked", "decided", "answered"]
    first, second = turns(site, asked["thread_id"])
    assert first["result"] == asked
    assert second["run_id"] == review["decision_run_id"]
    assert second["result"]["review"] == outcome
    assert second["result"]["fraud"] == asked["fraud"]
    assert second["result"]["interrupt"] is None
    assert second["result"]["usage"]["prompt_tokens"] == 0
    assert said(site, asked["thread_id"]) == [
        ("human", TRANSACTION),
        ("ai", asked["answer"]),
        ("ai", second["result"]["answer"]),
    ]
    assert [event.name for event in site.events(second["run_id"])] == ["run", "token", "result", "end"]
    assert thread_status(site, asked["thread_id"]) == "idle"
    assert fake.requests == []
    assert asked["run_id"] not in {row["run_id"] for row in open_reviews(site)}
    assert asked["run_id"] in {row["run_id"] for row in open_reviews(site, status="decided")}


def test_a_second_decision_is_refused(site: Site, fake: FakeEndpoint) -> None:
    asked = paused(site, fake)
    before = decide(site, asked["run_id"], "reject")
    for again in ("approve", "reject", "escalate"):
        answer = site.http.post(f"/reviews/{asked['run_id']}", json={"decision": again})
        assert_error(answer, 409, "review_decided")
    assert site.http.get(f"/reviews/{asked['run_id']}").json() == before
    assert len(turns(site, asked["thread_id"])) == 2


def test_of_many_decisions_at_once_one_counts(site: Site, fake: FakeEndpoint) -> None:
    asked = paused(site, fake)

    def person(number: int) -> httpx.Response:
        body = {"decision": "approve" if number % 2 else "reject", "comment": str(number)}
        return site.http.post(f"/reviews/{asked['run_id']}", json=body)

    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(person, range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    (winner,) = [answer.json() for answer in answers if answer.status_code == 200]
    (answered,) = turns(site, asked["thread_id"])[1:]
    assert answered["result"]["review"] == winner["outcome"]


def test_escalating_leaves_it_open_for_somebody_else(site: Site, fake: FakeEndpoint) -> None:
    asked = paused(site, fake)
    review = decide(site, asked["run_id"], "escalate", comment="Not mine to say.")
    assert (review["status"], review["outcome"], review["decision_run_id"]) == ("escalated", None, None)
    assert review["history"][-1]["details"] == {"comment": "Not mine to say."}
    assert (review["history"][-1]["action"], review["history"][-1]["by"]) == ("escalated", "local")
    assert asked["run_id"] in {row["run_id"] for row in open_reviews(site)}
    assert asked["run_id"] in {row["run_id"] for row in open_reviews(site, status="escalated")}
    assert asked["run_id"] not in {row["run_id"] for row in open_reviews(site, status="pending")}
    again = site.http.post(f"/reviews/{asked['run_id']}", json={"decision": "escalate"})
    assert_error(again, 409, "review_escalated")
    assert len(turns(site, asked["thread_id"])) == 1
    assert decide(site, asked["run_id"])["status"] == "decided"
    assert len(turns(site, asked["thread_id"])) == 2


def test_another_message_goes_on_and_the_review_stays_in_the_queue(site: Site, fake: FakeEndpoint) -> None:
    asked = paused(site, fake)
    thread_id = asked["thread_id"]
    later = site.chat("What is the capital of France?", thread_id=thread_id)
    assert later["interrupt"] is None
    assert thread_status(site, thread_id) == "idle"
    assert asked["run_id"] in {row["run_id"] for row in open_reviews(site)}
    review = decide(site, asked["run_id"], "reject")
    assert review["history"][-1]["action"] == "answered"
    assert [text for kind, text in said(site, thread_id) if kind == "ai"] == [
        asked["answer"],
        later["answer"],
        turns(site, thread_id)[-1]["result"]["answer"],
    ]
    assert turns(site, thread_id)[-1]["result"]["fraud"] == asked["fraud"]


def test_two_reviews_of_one_thread_are_decided_in_any_order(site: Site, fake: FakeEndpoint) -> None:
    thread_id = uuid.uuid4().hex
    first, second = paused(site, fake, thread_id), paused(site, fake, thread_id)
    decide(site, first["run_id"], "reject")
    decide(site, second["run_id"], "approve")
    outcomes = [turn["result"]["review"] for turn in turns(site, thread_id)]
    assert [outcome and outcome["label"] for outcome in outcomes] == [None, None, "LEGITIMATE", "FRAUD"]
    assert len([kind for kind, _ in said(site, thread_id) if kind == "ai"]) == 4


def test_the_queue_is_read_in_pages_oldest_first(site: Site, fake: FakeEndpoint) -> None:
    for _ in range(3):
        paused(site, fake)
    whole = site.http.get("/reviews", params={"limit": 200}).json()
    assert whole["total"] == len(whole["reviews"]) >= 3
    moments = [row["created_at"] for row in whole["reviews"]]
    assert moments == sorted(moments)
    pages = [site.http.get("/reviews", params={"limit": 1, "offset": n}).json() for n in range(whole["total"] + 1)]
    assert [page["reviews"] for page in pages] == [[row] for row in whole["reviews"]] + [[]]
    assert {page["total"] for page in pages} == {whole["total"]}


def test_a_long_message_is_cut_in_the_queue_alone(site: Site, fake: FakeEndpoint) -> None:
    fake.script = borderline
    message = TRANSACTION + " Please look." * 100
    run_id = site.chat(message)["run_id"]
    (listed,) = [row for row in open_reviews(site) if row["run_id"] == run_id]
    assert listed["message"] == message[:500]
    assert site.http.get(f"/reviews/{run_id}").json()["message"] == message


@pytest.mark.parametrize("query", [{"status": "new"}, {"limit": 0}, {"limit": 201}, {"offset": -1}, {"offset": 10**30}])
def test_bad_questions_to_the_queue(http: httpx.Client, query: dict[str, Any]) -> None:
    assert_error(http.get("/reviews", params=query), 422, "invalid_request")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"decision": "maybe"}, "invalid_request"),
        ({"decision": "approve", "label": "fraud"}, "invalid_request"),
        ({"decision": "approve", "who": "me"}, "invalid_request"),
        ({"decision": "approve", "comment": "x" * 5001}, "invalid_request"),
        ({"decision": "approve", "comment": 5}, "invalid_request"),
        ({"decision": "approve", "comment": "\ud800"}, "invalid_text"),
        ({"decision": "approve", "label": "LEGITIMATE"}, "label_mismatch"),
        ({"decision": "reject", "label": "FRAUD"}, "label_mismatch"),
        ({"decision": "escalate", "label": "FRAUD"}, "label_mismatch"),
    ],
)
def test_what_is_no_decision_changes_nothing(site: Site, fake: FakeEndpoint, body: Any, code: str) -> None:
    asked = paused(site, fake)
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    answer = site.http.post(f"/reviews/{asked['run_id']}", content=content, headers=headers)
    assert_error(answer, 422, code)
    assert site.http.get(f"/reviews/{asked['run_id']}").json()["status"] == "pending"


@pytest.fixture
def bobs(site: Site, fake: FakeEndpoint) -> Iterator[str]:
    """A review that is somebody else's."""
    run_id = paused(site, fake)["run_id"]
    with closing(sqlite3.connect(site.settings.app_database)) as database, database:
        for table in ("runs", "reviews"):
            database.execute(f"UPDATE {table} SET owner = 'bob' WHERE run_id = ?", (run_id,))
    yield run_id
    with closing(sqlite3.connect(site.settings.app_database)) as database, database:
        for table in ("runs", "reviews"):
            database.execute(f"UPDATE {table} SET owner = 'local' WHERE run_id = ?", (run_id,))


def test_somebody_else_s_review_is_not_found(site: Site, bobs: str) -> None:
    before = site.rows("SELECT * FROM reviews WHERE run_id = ?", bobs)
    assert_error(site.http.get(f"/reviews/{bobs}"), 404, "not_found")
    for decision in ("approve", "reject", "escalate"):
        assert_error(site.http.post(f"/reviews/{bobs}", json={"decision": decision}), 404, "not_found")
    assert bobs not in {row["run_id"] for row in open_reviews(site, status="all")}
    assert site.rows("SELECT * FROM reviews WHERE run_id = ?", bobs) == before


def test_runs_without_a_question_have_no_review(site: Site) -> None:
    run_id = site.chat()["run_id"]
    assert_error(site.http.get(f"/reviews/{run_id}"), 404, "not_found")
    assert_error(site.http.post("/reviews/nothing", json={"decision": "approve"}), 404, "not_found")


def test_a_deleted_conversation_takes_its_reviews_along(site: Site, fake: FakeEndpoint) -> None:
    asked = paused(site, fake)
    assert site.http.delete(f"/threads/{asked['thread_id']}").status_code == 204
    assert_error(site.http.post(f"/reviews/{asked['run_id']}", json={"decision": "approve"}), 404, "not_found")
    assert site.rows("SELECT 1 FROM reviews WHERE run_id = ?", asked["run_id"]) == []


def test_a_score_without_a_conversation_only_says_that_somebody_should_look(site: Site, fake: FakeEndpoint) -> None:
    fake.script = borderline
    before = len(open_reviews(site))
    answer = site.http.post("/fraud/score", json={"text": TRANSACTION.removeprefix("Is this fraud? ")})
    assert answer.json()["results"][0]["needs_review"] is True
    assert len(open_reviews(site)) == before


def test_an_openai_client_gets_an_answer_that_says_it_waits(site: Site, fake: FakeEndpoint) -> None:
    fake.script = borderline
    body = {"model": "switchyard", "messages": [{"role": "user", "content": TRANSACTION}]}
    completion = site.http.post(f"{site.url}/v1/chat/completions", json=body).json()
    assert completion["choices"][0]["finish_reason"] == "stop"
    assert completion["choices"][0]["message"]["content"].endswith(WAITING)
    told = completion["switchyard"]
    assert told["interrupt"]["label"] == told["fraud"]["label"]
    assert decide(site, told["run_id"])["outcome"]["label"] == "FRAUD"
    streamed = site.http.post(f"{site.url}/v1/chat/completions", json={**body, "stream": True}).text
    assert "person decides" in streamed
    assert streamed.rstrip().endswith("data: [DONE]")


def test_reviews_can_be_switched_off(fake: FakeEndpoint, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    fake.script = borderline
    with open_site(tmp_path, fake, pytestconfig, review="off") as site:
        result = site.chat(TRANSACTION)
        assert (result["interrupt"], result["fraud"]["needs_review"]) == (None, True)
        assert result["answer"] == result["fraud"]["reasoning"]
        assert open_reviews(site, status="all") == []
        assert thread_status(site, result["thread_id"]) == "idle"


def test_a_busy_thread_gets_the_decision_when_it_is_free(site: Site, fake: FakeEndpoint) -> None:
    asked = paused(site, fake)
    fake.script = lambda body: Reply(delay_s=1.0, text="NOANSWER")
    with ThreadPoolExecutor(1) as analyst:
        later = analyst.submit(site.chat, QUESTION, thread_id=asked["thread_id"])
        review = decide(site, asked["run_id"])
        assert later.result()["interrupt"] is None
    assert review["status"] == "decided"
    assert decided_answers(site, asked["thread_id"]) == 1


def decided_answers(site: Site, thread_id: str) -> int:
    return sum(turn["result"]["review"] is not None for turn in turns(site, thread_id))


def test_a_key_that_may_only_chat_cannot_decide_by_resuming_the_thread(keyed: Keyed, fake: FakeEndpoint) -> None:
    fake.script = borderline
    asked = {"message": TRANSACTION, "stream": False, "thread_id": str(uuid.uuid4())}
    waiting = keyed.request("ann", "POST", "/api/v1/chat", json=asked).json()
    assert waiting["interrupt"] is not None
    resumed = {"assistant_id": "switchyard", "command": {"resume": {"decision": "reject"}}}
    place = f"/threads/{waiting['thread_id']}/runs/wait"
    refused = keyed.request("chat", "POST", place, json=resumed)
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    review = f"/api/v1/reviews/{waiting['run_id']}"
    assert keyed.request("ann", "GET", review).json()["status"] == "pending"
    assert keyed.request("ann", "POST", place, json=resumed).status_code == 200
    assert keyed.request("ann", "GET", review).json()["status"] == "decided"
