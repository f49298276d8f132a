"""A run's events: complete, numbered, readable from any point, live and stored."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag

import httpx
import pytest

from tests.fakes.endpoint import FakeEndpoint, Reply
from tests.server.errors import assert_error
from tests.server.site import ANSWER, QUESTION, Event, Site

REPLY = f"{ANSWER.rstrip('.')} [1]."


@pytest.fixture(scope="module")
def finished(site: Site) -> list[Event]:
    return site.stream()


def assert_complete(events: list[Event]) -> None:
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert len({event.run_id for event in events}) == 1
    assert [event.name for event in events].count("end") == 1
    assert events[-1].name == "end"
    assert events[-1].data == {}


def test_the_events_of_an_answer(finished: list[Event]) -> None:
    assert_complete(finished)
    names = [event.name for event in finished]
    assert list(dict.fromkeys(names)) == ["run", "route", "status", "token", "result", "end"]
    assert set(finished[0].data) == {"run_id", "thread_id"}
    assert finished[0].data["run_id"] == finished[0].run_id
    assert finished[1].data == {"routed_to": "knowledge", "confidence": finished[1].data["confidence"]}
    assert "".join(event.data["text"] for event in finished if event.name == "token") == REPLY


def test_the_result_of_an_answer(finished: list[Event]) -> None:
    result = next(event.data for event in finished if event.name == "result")
    expected = "run_id thread_id trace_id route routed_to confidence answer abstained reason citations extraction fraud"
    assert {*expected.split(), "interrupt", "usage", "timings"} <= set(result)
    assert result["answer"] == f"{ANSWER} [1]"
    assert result["citations"] == [
        {
            "n": 1,
            "document_id": "disputes",
            "chunk_id": "disputes#0",
            "title": "Dispute windows",
            "page": None,
            "quote": ANSWER,
        }
    ]
    assert 0 < result["timings"]["ttft_ms"] <= result["timings"]["total_ms"]


@pytest.mark.parametrize("message", ["What is the capital of France?", "Is this fraud? 900 EUR"])
def test_every_branch_ends_its_events(site: Site, message: str) -> None:
    events = site.stream(message)
    assert_complete(events)
    assert [event.name for event in events][-2] == "result"


def test_a_reader_resumes_after_any_event(site: Site, finished: list[Event]) -> None:
    run_id = finished[0].run_id
    for position in range(len(finished) + 1):
        rest = finished[position:]
        assert site.events(run_id, headers={"Last-Event-ID": f"{run_id}:{position}"}) == rest
        assert site.events(run_id, params={"after": position}) == rest


@pytest.mark.parametrize("cursor", ["7", "other:7", "{run}:", "{run}:x", "{run}:-1", "{run}:٣", "{run}:" + "9" * 30])
def test_a_cursor_of_something_else_is_refused(site: Site, finished: list[Event], cursor: str) -> None:
    run_id = finished[0].run_id
    headers = {"Last-Event-ID": cursor.replace("{run}", run_id).encode()}
    assert_error(site.http.get(f"/runs/{run_id}/events", headers=headers), 422, "invalid_cursor")


def test_a_negative_after_is_refused(site: Site, finished: list[Event]) -> None:
    answer = site.http.get(f"/runs/{finished[0].run_id}/events", params={"after": -1})
    assert_error(answer, 422, "invalid_request")


def test_events_of_an_unknown_run(http: httpx.Client) -> None:
    assert_error(http.get("/runs/nothing/events"), 404, "not_found")


def test_one_answer_logs_the_same_events_as_a_stream(site: Site, finished: list[Event]) -> None:
    result = site.chat()
    events = site.events(result["run_id"])
    assert_complete(events)
    assert [event.name for event in events] == [event.name for event in finished]
    assert next(event.data for event in events if event.name == "result") == result


def test_the_events_are_on_disk_when_the_run_has_ended(site: Site, finished: list[Event]) -> None:
    run_id = finished[0].run_id
    rows = site.rows("SELECT seq, name FROM events WHERE run_id = ? ORDER BY seq", run_id)
    assert [(row["seq"], row["name"]) for row in rows] == [(event.seq, event.name) for event in finished]


def test_two_readers_see_the_same_live_run(site: Site, fake: FakeEndpoint) -> None:
    release = Flag()
    fake.script = lambda _: Reply(REPLY, hold=release, hold_after=2)
    with ThreadPoolExecutor(3) as readers:
        first = readers.submit(site.stream, "How long may a cardholder dispute a credit card charge, live?")
        run_id = wait_for_run(site, "live?")
        second = readers.submit(site.events, run_id)
        third = readers.submit(site.events, run_id, params={"after": 3})
        release.set()
        events = first.result()
    assert_complete(events)
    assert second.result() == events
    assert third.result() == events[3:]


def test_a_reader_that_leaves_loses_nothing(site: Site, fake: FakeEndpoint) -> None:
    release = Flag()
    fake.script = lambda _: Reply(REPLY, hold=release, hold_after=2)
    with site.http.stream("POST", "/chat", json={"message": QUESTION}) as answer:
        run_id = next(line for line in answer.iter_lines() if line.startswith("id: ")).removeprefix("id: ")[:-2]
    release.set()
    events = site.events(run_id)
    assert_complete(events)
    assert events[-2].data["answer"] == f"{ANSWER} [1]"
    stored = site.http.get(f"/runs/{run_id}").json()
    assert stored["status"] == "success"
    assert stored["result"]["answer"] == f"{ANSWER} [1]"


def test_cancelling_a_run(site: Site, fake: FakeEndpoint) -> None:
    release = Flag()
    fake.script = lambda _: Reply(REPLY, hold=release, hold_after=2)
    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(site.stream, "How long may a cardholder dispute a credit card charge, cancelled?")
        run_id = wait_for_run(site, "cancelled?")
        assert site.http.post(f"/runs/{run_id}/cancel").json() == {"cancelled": True}
        events = reading.result()
    release.set()
    assert_complete(events)
    assert [event.name for event in events][-2:] == ["error", "end"]
    assert events[-2].data["code"] == "cancelled"
    assert set(events[-2].data) == {"code", "message", "trace_id"}
    assert site.http.post(f"/runs/{run_id}/cancel").json() == {"cancelled": False}
    stored = site.http.get(f"/runs/{run_id}").json()
    assert (stored["status"], stored["error_code"], stored["result"]) == ("cancelled", "cancelled", None)
    assert site.events(run_id) == events


def test_a_cancelled_run_answers_its_waiting_caller(site: Site, fake: FakeEndpoint) -> None:
    release = Flag()
    fake.script = lambda _: Reply(REPLY, hold=release)
    body = {"message": "How long may a cardholder dispute a credit card charge, awaited?", "stream": False}
    with ThreadPoolExecutor(1) as caller:
        waiting = caller.submit(site.http.post, "/chat", json=body)
        assert site.http.post(f"/runs/{wait_for_run(site, 'awaited?')}/cancel").json() == {"cancelled": True}
        release.set()
        assert_error(waiting.result(), 409, "cancelled")


def test_many_cancels_at_once_stop_a_run_once(site: Site, fake: FakeEndpoint) -> None:
    release = Flag()
    fake.script = lambda _: Reply(REPLY, hold=release)
    with ThreadPoolExecutor(9) as callers:
        reading = callers.submit(site.stream, "How long may a cardholder dispute a credit card charge, often?")
        run_id = wait_for_run(site, "often?")
        cancels = [callers.submit(site.http.post, f"/runs/{run_id}/cancel") for _ in range(8)]
        assert sorted(cancel.result().json()["cancelled"] for cancel in cancels) == [False] * 7 + [True]
        assert_complete(reading.result())
    release.set()


def test_cancelling_an_unknown_run(http: httpx.Client) -> None:
    assert_error(http.post("/runs/nothing/cancel"), 404, "not_found")


def wait_for_run(site: Site, ending: str) -> str:
    """The id of the run whose message ends so, once it is written down."""
    for _ in range(1000):
        if rows := site.rows("SELECT run_id FROM runs WHERE message LIKE ?", f"%{ending}"):
            return rows[0]["run_id"]
        Flag().wait(0.01)
    raise AssertionError("the run was not written down")
