"""Readers of streams that are cut off, and what a whole stream is."""

from __future__ import annotations

from threading import Event as Flag

import httpx

from tests.e2e.process import Served
from tests.server.site import QUESTION, Event


def read_until_cut(server: Served, thread_id: str, reached: Flag) -> str:
    """What a reader gets of a stream until the server closes it or dies; `reached` is set at the second token."""
    text = ""
    body = {"message": QUESTION, "thread_id": thread_id}
    try:
        with server.site.http.stream("POST", "/chat", json=body) as answer:
            for chunk in answer.iter_text():
                text += chunk
                if text.count("event: token") >= 2:
                    reached.set()
    except httpx.TransportError:
        pass
    return text


def complete(events: list[Event]) -> list[str]:
    """The names of events that make up a whole run."""
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.name for event in events].count("end") == 1
    return [event.name for event in events]
