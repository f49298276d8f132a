"""Threads: memory, order, listing and deletion."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from agent.followup import stand_alone
from tests.fakes.endpoint import FakeEndpoint, Reply, scripted, turns_in
from tests.server.errors import assert_error
from tests.server.site import ANSWER, FOLLOW_UP, QUESTION, Site, open_site, serve
from tests.server.test_fraud import TEXT

DEBIT_QUERY = "How long may a cardholder dispute a debit card charge?"


def kept(site: Site, messages: list[dict[str, str]]) -> dict[str, Any]:
    """The result of a turn that comes with the conversation before it."""
    answer = site.http.post("/chat", json={"messages": messages, "stream": False})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_follow_up_is_understood(site: Site, fake: FakeEndpoint) -> None:
    site.chat(thread_id="follow")
    result = site.chat(FOLLOW_UP, thread_id="follow")
    assert result["explanation"]["query"] == DEBIT_QUERY
    assert result["citations"][0]["document_id"] in {"debit", "disputes"}
    rewrite = next(body for body in fake.requests if body["messages"][0]["content"].startswith("Rewrite"))
    assert turns_in(rewrite) == [("user", QUESTION), ("assistant", f"{ANSWER} [1]")]
    assert rewrite["messages"][-1]["content"].endswith(f"Last message: {FOLLOW_UP}")


def test_without_a_thread_nothing_is_remembered(site: Site) -> None:
    site.chat()
    assert site.chat(FOLLOW_UP)["explanation"]["query"] == FOLLOW_UP


def test_a_conversation_that_the_caller_keeps(site: Site) -> None:
    messages = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": ANSWER},
        {"role": "user", "content": FOLLOW_UP},
    ]
    assert kept(site, messages)["explanation"]["query"] == DEBIT_QUERY


def test_a_follow_up_in_a_kept_conversation_leans_on_its_last_question(site: Site, fake: FakeEndpoint) -> None:
    silent = Reply("")
    fake.script = lambda body: silent if body["messages"][0]["content"].startswith("Rewrite") else scripted(body)
    messages = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": ANSWER},
        {"role": "user", "content": f"Is this fraud? {TEXT}"},
        {"role": "assistant", "content": "It looks legitimate."},
        {"role": "user", "content": FOLLOW_UP},
    ]
    assert kept(site, messages)["explanation"]["query"] == stand_alone(FOLLOW_UP, [QUESTION])


def test_the_model_sees_the_last_five_turns(site: Site, fake: FakeEndpoint) -> None:
    for turn in range(7):
        site.chat(f"How long may a cardholder dispute a credit card charge of {turn} euros?", thread_id="long")
    fake.requests.clear()
    site.chat(thread_id="long")
    said = [text for by, text in turns_in(fake.requests[-1]) if by == "user"]
    assert [f"of {turn} euros" in text for turn, text in zip(range(2, 7), said, strict=True)] == [True] * 5


def test_four_turns_at_once_lose_nothing(site: Site, fake: FakeEndpoint) -> None:
    questions = [f"How long may a cardholder dispute a credit card charge of {n} euros?" for n in range(4)]
    with ThreadPoolExecutor(4) as callers:
        results = list(callers.map(lambda question: site.chat(question, thread_id="crowd"), questions))
    assert {result["route"] for result in results} == {"knowledge"}
    turns = site.http.get("/threads/crowd").json()["turns"]
    assert sorted(turn["message"] for turn in turns) == questions
    fake.requests.clear()
    site.chat(thread_id="crowd")
    seen = [text for _, text in turns_in(fake.requests[-1])]
    assert len(seen) == 8
    assert seen[0::2] == [turn["message"] for turn in turns]
    assert set(seen[1::2]) == {f"{ANSWER} [1]"}


def test_a_hundred_streams_at_once(site: Site) -> None:
    with ThreadPoolExecutor(100) as callers:
        chats = list(callers.map(lambda _: site.stream(), range(100)))
    assert len({events[0].run_id for events in chats}) == 100
    for events in chats:
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert [event.name for event in events if event.name in {"error", "result", "end"}] == ["result", "end"]
        assert events[-2].data["answer"] == f"{ANSWER} [1]"
        assert site.events(events[0].run_id) == events


def test_threads_are_listed_newest_first(site: Site) -> None:
    site.chat(thread_id="list-a")
    site.chat(thread_id="list-b")
    site.chat("What is the capital of France?", thread_id="list-a")
    threads = site.http.get("/threads").json()["threads"]
    assert [thread["thread_id"] for thread in threads][:2] == ["list-a", "list-b"]
    assert threads[0]["title"] == QUESTION
    assert len(site.http.get("/threads", params={"limit": 1}).json()["threads"]) == 1
    assert_error(site.http.get("/threads", params={"limit": 0}), 422, "invalid_request")


def test_a_thread_shows_its_turns_in_order(site: Site) -> None:
    first = site.chat(thread_id="turns")
    second = site.chat("What is the capital of France?", thread_id="turns")
    turns = site.http.get("/threads/turns").json()["turns"]
    assert [turn["run_id"] for turn in turns] == [first["run_id"], second["run_id"]]
    assert [turn["result"] for turn in turns] == [first, second]


def test_a_deleted_thread_leaves_nothing(site: Site) -> None:
    run_id = site.chat(thread_id="deleted")["run_id"]
    assert site.rows("SELECT 1 FROM checkpoints WHERE thread_id = 'deleted'", checkpoints=True)
    assert site.http.delete("/threads/deleted").status_code == 204
    for table in ("checkpoints", "writes"):
        assert site.rows(f"SELECT 1 FROM {table} WHERE thread_id = 'deleted'", checkpoints=True) == []
    for table in ("runs", "events", "feedback"):
        assert site.rows(f"SELECT 1 FROM {table} WHERE run_id = ?", run_id) == []
    assert_error(site.http.get("/threads/deleted"), 404, "not_found")
    assert_error(site.http.delete("/threads/deleted"), 404, "not_found")
    assert_error(site.http.get(f"/runs/{run_id}"), 404, "not_found")
    assert_error(site.http.get(f"/runs/{run_id}/events"), 404, "not_found")
    assert site.chat(FOLLOW_UP, thread_id="deleted")["explanation"]["query"] == FOLLOW_UP


def test_unknown_threads(http: httpx.Client) -> None:
    assert_error(http.get("/threads/nothing"), 404, "not_found")
    assert_error(http.delete("/threads/nothing"), 404, "not_found")


def test_a_restart_keeps_threads_memory_events_and_documents(
    fake: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> None:
    with open_site(tmp_path_factory.mktemp("restart"), fake, pytestconfig) as before:
        events = before.stream(thread_id="kept")
    with serve(before.settings) as after:
        assert after.events(events[0].run_id) == events
        assert after.events(events[0].run_id, params={"after": 3}) == events[3:]
        turns = after.http.get("/threads/kept").json()["turns"]
        assert [turn["result"]["answer"] for turn in turns] == [f"{ANSWER} [1]"]
        assert after.chat(FOLLOW_UP, thread_id="kept")["explanation"]["query"] == DEBIT_QUERY
        assert after.chat()["citations"][0]["document_id"] == "disputes"
