"""Somebody else's threads and runs are not found, whatever the operation, and nothing of them changes."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from tests.server.keyed import Keyed
from tests.server.site import QUESTION, Site

ASKED = {"assistant_id": "switchyard", "input": {"messages": [{"role": "user", "content": QUESTION}]}}
OPERATIONS: list[tuple[str, str, Any]] = [
    ("POST", "/threads", {"thread_id": "THREAD", "if_exists": "do_nothing"}),
    ("GET", "/threads/THREAD", None),
    ("PATCH", "/threads/THREAD", {"metadata": {"mine": True}}),
    ("DELETE", "/threads/THREAD", None),
    ("GET", "/threads/THREAD/state", None),
    ("GET", "/threads/THREAD/state/CHECKPOINT", None),
    ("POST", "/threads/THREAD/state", {"values": {"messages": []}}),
    ("POST", "/threads/THREAD/state/checkpoint", {"checkpoint": {"checkpoint_id": "CHECKPOINT"}}),
    ("GET", "/threads/THREAD/history", None),
    ("POST", "/threads/THREAD/history", {}),
    ("GET", "/threads/THREAD/runs", None),
    ("POST", "/threads/THREAD/runs", ASKED),
    ("POST", "/threads/THREAD/runs", {**ASKED, "if_not_exists": "create"}),
    ("POST", "/threads/THREAD/runs/stream", ASKED),
    ("POST", "/threads/THREAD/runs/wait", ASKED),
    ("GET", "/threads/THREAD/runs/RUN", None),
    ("GET", "/threads/THREAD/runs/RUN/join", None),
    ("GET", "/threads/THREAD/runs/RUN/stream", None),
    ("POST", "/threads/THREAD/runs/RUN/cancel", None),
    ("DELETE", "/threads/THREAD/runs/RUN", None),
    ("GET", "/threads/MINE/runs/RUN", None),
    ("GET", "/threads/MINE/runs/RUN/join", None),
    ("POST", "/threads/MINE/runs/RUN/cancel", None),
    ("DELETE", "/threads/MINE/runs/RUN", None),
    ("GET", "/runs/RUN/stream", None),
]


@pytest.fixture
def ids(site: Site) -> Iterator[dict[str, str]]:
    """A thread of Bob's with a run, beside one of ours."""
    names = {name: str(uuid.uuid4()) for name in ("THREAD", "RUN", "CHECKPOINT", "MINE")}
    with closing(sqlite3.connect(site.settings.app_database)) as database, database:
        columns = "thread_id, owner, title, created_at, updated_at"
        thread = f"INSERT INTO threads ({columns}) VALUES (?, ?, 'A title', 1, 1)"
        database.executemany(thread, [(names["THREAD"], "bob"), (names["MINE"], "local")])
        run = "INSERT INTO runs (run_id, thread_id, owner, status, message, input, trace_id, created_at)"
        values = " VALUES (?, ?, 'bob', 'success', 'His words', '{}', 'trace', 1)"
        database.execute(run + values, (names["RUN"], names["THREAD"]))
    yield names
    with closing(sqlite3.connect(site.settings.app_database)) as database, database:
        database.execute("PRAGMA foreign_keys=ON")
        database.execute("DELETE FROM threads WHERE thread_id IN (?, ?)", (names["THREAD"], names["MINE"]))


def bobs(site: Site) -> list[dict[str, Any]]:
    return site.rows("SELECT * FROM threads WHERE owner = 'bob'") + site.rows("SELECT * FROM runs WHERE owner = 'bob'")


@pytest.mark.parametrize(("method", "path", "body"), OPERATIONS)
def test_it_is_not_found_and_stays_as_it_is(site: Site, ids: dict[str, str], method: str, path: str, body: Any) -> None:
    before = bobs(site)
    for name, value in ids.items():
        path = path.replace(name, value)
        body = {**body, "thread_id": value} if body and body.get("thread_id") == name else body
    answer = httpx.request(method, f"{site.url}{path}", json=body, trust_env=False)
    assert answer.status_code == 404, answer.text
    assert set(answer.json()) == {"detail", "code", "trace_id"}
    assert "His words" not in answer.text
    assert bobs(site) == before


def test_no_operation_with_an_id_is_left_out(site: Site) -> None:
    paths = httpx.get(f"{site.url}/openapi.json", trust_env=False).json()["paths"]
    there = {
        (method.upper(), path)
        for path, operations in paths.items()
        for method in operations
        if path.startswith(("/threads/{", "/runs/{"))
    }
    names = {"THREAD": "{thread_id}", "MINE": "{thread_id}", "RUN": "{run_id}", "CHECKPOINT": "{checkpoint_id}"}
    asked: set[tuple[str, str]] = set()
    for method, path, _ in OPERATIONS:
        asked.add((method, "/".join(names.get(part, part) for part in path.split("/"))))
    assert there <= asked


def test_searches_do_not_list_it(site: Site, ids: dict[str, str]) -> None:
    for body in ({"limit": 1000}, {"ids": [ids["THREAD"]]}):
        found = httpx.post(f"{site.url}/threads/search", json=body, trust_env=False).json()
        assert ids["THREAD"] not in [row["thread_id"] for row in found]


@pytest.mark.parametrize("thread_id", ["a b", "x" * 129, "é"])
def test_an_id_that_is_none_is_refused(site: Site, thread_id: str) -> None:
    created = httpx.post(f"{site.url}/threads", json={"thread_id": thread_id}, trust_env=False)
    asked = httpx.post(
        f"{site.url}/threads/{thread_id}/runs/wait", json={**ASKED, "if_not_exists": "create"}, trust_env=False
    )
    assert (created.status_code, asked.status_code) == (422, 422)
    assert created.json()["code"] == "invalid_thread_id"


@pytest.fixture(scope="module")
def bobs_thread(keyed: Keyed) -> dict[str, str]:
    """A thread that Bob made with his key, its run and a checkpoint; and one of Ann's."""
    thread = keyed.request("bob", "POST", "/threads", json={}).json()["thread_id"]
    keyed.request("bob", "POST", f"/threads/{thread}/runs/wait", json=ASKED)
    (run,) = keyed.request("bob", "GET", f"/threads/{thread}/runs").json()
    state = keyed.request("bob", "GET", f"/threads/{thread}/state").json()
    mine = keyed.request("ann", "POST", "/threads", json={}).json()["thread_id"]
    checkpoint = state["checkpoint"]["checkpoint_id"]
    return {"THREAD": thread, "RUN": run["run_id"], "CHECKPOINT": checkpoint, "MINE": mine}


def seen_by_bob(keyed: Keyed, ids: dict[str, str]) -> list[Any]:
    """Everything of Bob's thread, as he sees it."""
    thread, run = ids["THREAD"], ids["RUN"]
    history = keyed.request("bob", "POST", f"/threads/{thread}/history", json={"limit": 100}).json()
    paths = (f"/threads/{thread}", f"/threads/{thread}/runs", f"/threads/{thread}/runs/{run}/join")
    return [history, *(keyed.request("bob", "GET", path).json() for path in paths)]


@pytest.mark.parametrize(("method", "path", "body"), OPERATIONS)
def test_with_two_keys_the_other_s_is_not_found(
    keyed: Keyed, bobs_thread: dict[str, str], method: str, path: str, body: Any
) -> None:
    before = seen_by_bob(keyed, bobs_thread)
    for name, value in bobs_thread.items():
        path = path.replace(name, value)
        body = {**body, "thread_id": value} if body and body.get("thread_id") == name else body
    answer = keyed.request("ann", method, path, json=body)
    assert answer.status_code == 404, answer.text
    assert answer.json()["code"] == "not_found"
    assert seen_by_bob(keyed, bobs_thread) == before


REDIRECTS: list[dict[str, Any]] = [
    {"thread_id": "THREAD"},
    {"owner": "bob", "user_id": "bob"},
    {"config": {"configurable": {"thread_id": "THREAD", "owner": "bob", "checkpoint_id": "CHECKPOINT"}}},
    {"config": {"configurable": {"langgraph_auth_user": {"identity": "bob"}, "langgraph_auth_user_id": "bob"}}},
    {"context": {"owner": "bob", "collection": "default", "thread_id": "THREAD"}},
    {"metadata": {"owner": "bob", "thread_id": "THREAD", "key_id": "bob"}},
    {"checkpoint": {"thread_id": "THREAD", "checkpoint_id": "CHECKPOINT", "checkpoint_ns": ""}},
    {"checkpoint_id": "CHECKPOINT"},
]
HEADERS = {"X-Owner": "bob", "X-User-Id": "bob", "X-Forwarded-User": "bob", "X-Auth-Request-User": "bob"}


def filled(value: Any, ids: dict[str, str]) -> Any:
    """A body with the names of Bob's things in their places."""
    if isinstance(value, dict):
        return {name: filled(each, ids) for name, each in value.items()}
    return ids.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize("redirect", REDIRECTS, ids=str)
def test_no_field_and_no_header_leads_to_the_other_s(
    keyed: Keyed, bobs_thread: dict[str, str], redirect: dict[str, Any]
) -> None:
    before = seen_by_bob(keyed, bobs_thread)
    mine = keyed.request("ann", "POST", "/threads", json={}).json()["thread_id"]
    body = {**ASKED, **filled(redirect, bobs_thread)}
    for path in (f"/threads/{mine}/runs/wait", "/runs/wait"):
        answer = keyed.request("ann", "POST", path, json=body, headers=HEADERS)
        assert answer.status_code in {200, 404, 422}, answer.text
    for path in (f"/threads/{mine}/history", f"/threads/{mine}/state"):
        asked = filled({"before": redirect.get("checkpoint"), **redirect}, bobs_thread)
        keyed.request("ann", "POST", path, json={"values": {"messages": []}, **asked}, headers=HEADERS)
    assert seen_by_bob(keyed, bobs_thread) == before
    owners = keyed.site.rows("SELECT DISTINCT owner FROM threads WHERE thread_id = ?", mine)
    assert owners == [{"owner": "ann"}]
    history = keyed.request("ann", "POST", f"/threads/{mine}/history", json={"limit": 100}).json()
    assert bobs_thread["CHECKPOINT"] not in [state["checkpoint"]["checkpoint_id"] for state in history]
