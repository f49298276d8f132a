"""Chats that wait for a person."""

from __future__ import annotations

import uuid
from typing import Any

from tests.fakes.endpoint import FakeEndpoint, Reply, scripted
from tests.server.site import Site

TRANSACTION = (
    "Is this fraud? Card payment of 950 EUR at Zephyr Electronics at 03:10, the customer usually spends 40 EUR."
)
EVEN = {"FRAUD": -0.6, "LEG": -0.7}


def borderline(body: dict[str, Any]) -> Reply:
    """The well-behaved model, but for fraud scores close to the middle."""
    return Reply("FRAUD", top_logprobs=EVEN) if body["model"].endswith("fraud") else scripted(body)


def paused(site: Site, fake: FakeEndpoint, thread_id: str | None = None) -> dict[str, Any]:
    """The result of a chat that waits for a person."""
    fake.script = borderline
    result = site.chat(TRANSACTION, thread_id=thread_id or uuid.uuid4().hex)
    assert result["interrupt"] is not None
    return result


def open_reviews(site: Site, **query: Any) -> list[dict[str, Any]]:
    """The queue."""
    answer = site.http.get("/reviews", params={"limit": 200, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["reviews"]


def decide(site: Site, run_id: str, decision: str = "approve", **fields: Any) -> dict[str, Any]:
    """The review after a decision."""
    answer = site.http.post(f"/reviews/{run_id}", json={"decision": decision, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def turns(site: Site, thread_id: str) -> list[dict[str, Any]]:
    """The thread's turns, as the page shows them."""
    return site.http.get(f"/threads/{thread_id}").json()["turns"]


def said(site: Site, thread_id: str) -> list[tuple[str, str]]:
    """The messages of the thread's memory, as type and text."""
    state = site.http.get(f"{site.url}/threads/{thread_id}/state").json()
    return [(message["type"], message["content"]) for message in state["values"]["messages"]]


def thread_status(site: Site, thread_id: str) -> str:
    """The thread's status, as LangGraph's clients see it."""
    return site.http.get(f"{site.url}/threads/{thread_id}").json()["status"]
