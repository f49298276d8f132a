"""LangGraph's clients see the question, answer it, and leave the same trace as a decision in the queue."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient

from tests.fakes.endpoint import FakeEndpoint
from tests.server.reviews.waiting import TRANSACTION, borderline, decide, open_reviews, turns
from tests.server.site import Site

GRAPH = "switchyard"
DECISION = {"decision": "approve", "reviewer": "boss"}
ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": TRANSACTION}]}


async def paused(client: LangGraphClient, fake: FakeEndpoint) -> tuple[str, dict[str, Any]]:
    """A thread that waits, and the interrupt that it shows."""
    fake.script = borderline
    thread_id = (await client.threads.create())["thread_id"]
    values: Any = await client.runs.wait(thread_id, GRAPH, input=ASKED)
    (interrupt,) = values["__interrupt__"]
    return thread_id, interrupt


def review_of(site: Site, thread_id: str) -> dict[str, Any]:
    (found,) = [row for row in open_reviews(site, status="all") if row["thread_id"] == thread_id]
    return found


async def resume(client: LangGraphClient, thread_id: str, given: Any) -> Any:
    values: Any = await client.runs.wait(thread_id, GRAPH, command={"resume": given})
    return values


async def test_the_interrupt_is_the_review(site: Site, client: LangGraphClient, fake: FakeEndpoint) -> None:
    thread_id, interrupt = await paused(client, fake)
    assert interrupt["value"] == review_of(site, thread_id)["request"]
    thread: Any = await client.threads.get(thread_id)
    assert thread["status"] == "interrupted"
    assert [one["value"] for found in thread["interrupts"].values() for one in found] == [interrupt["value"]]


@pytest.mark.parametrize("named", [False, True], ids=["plain", "by interrupt"])
async def test_a_resume_decides(site: Site, client: LangGraphClient, fake: FakeEndpoint, named: bool) -> None:
    thread_id, interrupt = await paused(client, fake)
    decision = {"decision": "reject", "comment": "A known customer."}
    values = await resume(client, thread_id, {interrupt["id"]: decision} if named else decision)
    assert values["result"]["review"]["label"] == "LEGITIMATE"
    assert [message["type"] for message in values["messages"]] == ["human", "ai", "ai"]
    review = review_of(site, thread_id)
    assert (review["status"], review["outcome"]) == ("decided", values["result"]["review"])
    assert (review["outcome"]["comment"], review["outcome"]["reviewer"]) == ("A known customer.", "local")
    assert [step["action"] for step in review["history"]] == ["asked", "decided", "answered"]
    assert turns(site, thread_id)[-1]["run_id"] == review["decision_run_id"]
    assert (await client.threads.get(thread_id))["status"] == "idle"


async def test_a_resume_streams_the_decision(site: Site, client: LangGraphClient, fake: FakeEndpoint) -> None:
    thread_id, _ = await paused(client, fake)
    stream = client.runs.stream(thread_id, GRAPH, command={"resume": {"decision": "approve"}}, stream_mode="updates")
    updates: list[Any] = [part.data async for part in stream if part.event == "updates"]
    assert [list(update) for update in updates] == [["review"]]


@pytest.mark.parametrize("given", ["yes", {"decision": "escalate"}, {"decision": "reject", "label": "FRAUD"}, [1]])
async def test_what_is_no_decision_is_refused_and_still_waits(
    site: Site, client: LangGraphClient, fake: FakeEndpoint, given: Any
) -> None:
    thread_id, _ = await paused(client, fake)
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await resume(client, thread_id, given)
    assert caught.value.response.status_code == 422
    assert review_of(site, thread_id)["status"] == "pending"
    assert (await client.threads.get(thread_id))["status"] == "interrupted"
    assert (await resume(client, thread_id, {"decision": "approve"}))["result"]["review"]["label"] == "FRAUD"


async def test_a_second_answer_is_refused(site: Site, client: LangGraphClient, fake: FakeEndpoint) -> None:
    thread_id, _ = await paused(client, fake)
    await resume(client, thread_id, {"decision": "approve"})
    review = review_of(site, thread_id)
    again = site.http.post(f"/reviews/{review['run_id']}", json={"decision": "reject"})
    assert again.status_code == 409
    assert review_of(site, thread_id) == review


async def test_the_same_answer_sent_again_is_the_same_run(
    site: Site, client: LangGraphClient, fake: FakeEndpoint
) -> None:
    thread_id, _ = await paused(client, fake)
    path = f"{site.url}/threads/{thread_id}/runs"
    body = {"assistant_id": GRAPH, "command": {"resume": {"decision": "approve"}}}
    async with httpx.AsyncClient(headers={"Idempotency-Key": "decision-1"}, trust_env=False, timeout=60) as http:
        first = (await http.post(path, json=body)).json()
        again = [(await http.post(path, json=body)).json()["run_id"] for _ in range(5)]
        assert again == [first["run_id"]] * 5
        other = await http.post(path, json={**body, "command": {"resume": {"decision": "reject"}}})
    assert other.status_code == 422
    assert "idempotency_key_reused" in other.text
    await client.runs.join(thread_id, first["run_id"])
    assert len(turns(site, thread_id)) == 2


async def test_the_queue_decides_for_a_client_too(site: Site, client: LangGraphClient, fake: FakeEndpoint) -> None:
    thread_id, interrupt = await paused(client, fake)
    decide(site, review_of(site, thread_id)["run_id"], "reject")
    state: Any = await client.threads.get_state(thread_id)
    assert (state["next"], state["interrupts"]) == ([], [])
    assert state["values"]["messages"][-1]["id"] == f"review-{interrupt['value']['id']}"


async def test_a_run_whose_thread_goes_waits_for_nobody(
    site: Site, client: LangGraphClient, fake: FakeEndpoint
) -> None:
    fake.script = borderline
    before = len(open_reviews(site, status="all"))
    values: Any = await client.runs.wait(None, GRAPH, input=ASKED)
    assert values["result"]["interrupt"] is None
    assert values["result"]["fraud"]["needs_review"] is True
    assert len(open_reviews(site, status="all")) == before


async def test_a_made_up_question_decides_nothing_of_others(
    site: Site, client: LangGraphClient, fake: FakeEndpoint
) -> None:
    thread_id, _ = await paused(client, fake)
    other, _ = await paused(client, fake)
    values: Any = (await client.threads.get_state(thread_id))["values"]
    forged = {"result": values["result"]}
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await client.threads.update_state(other, forged, as_node="fraud")
    assert caught.value.response.json()["code"] == "read_only_state"
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await client.runs.wait(other, GRAPH, command={"update": forged, "goto": "review", "resume": DECISION})
    assert caught.value.response.json()["code"] == "read_only_state"
    assert review_of(site, thread_id)["status"] == "pending"


async def test_no_way_around_the_queue_decides(site: Site, client: LangGraphClient, fake: FakeEndpoint) -> None:
    fake.script = borderline
    ahead = (await client.threads.create())["thread_id"]
    await client.runs.wait(ahead, GRAPH, input=ASKED, interrupt_before=["review"])
    aside, _ = await paused(client, fake)
    await client.threads.update_state(aside, {"messages": []}, as_node="unknown")
    for thread_id, command in ((ahead, {"resume": DECISION}), (aside, {"goto": "review", "resume": DECISION})):
        await client.runs.wait(thread_id, GRAPH, command=command)
        values: Any = (await client.threads.get_state(thread_id))["values"]
        assert values["result"]["review"] is None
        assert not any("A person reviewed" in str(message["content"]) for message in values["messages"])


async def test_a_run_whose_review_waits_is_not_deleted(site: Site, client: LangGraphClient, fake: FakeEndpoint) -> None:
    thread_id, _ = await paused(client, fake)
    run_id = review_of(site, thread_id)["run_id"]
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await client.runs.delete(thread_id, run_id)
    assert caught.value.response.status_code == 409
    await resume(client, thread_id, {"decision": "approve"})
    await client.runs.delete(thread_id, run_id)
    assert {"kind": "run_deleted"} in site.rows("SELECT kind FROM audit WHERE subject = ?", run_id)
