"""Every row belongs to an owner: somebody else's is not found."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.db.engine import Database
from server.documents import DocumentService
from server.ingestion.rows import DocumentRows
from server.ingestion.upload import NewDocument
from server.runs.rows import NewRun
from server.runs.store import RunStore
from tests.server.errors import assert_error
from tests.server.keyed import Keyed
from tests.server.site import QUESTION
from tools.errors import NotFoundError


def new_run(owner: str, thread_id: str = "shared") -> NewRun:
    return NewRun(str(uuid.uuid4()), thread_id, owner, "hello", {}, uuid.uuid4().hex)


async def test_another_owner_s_run_and_thread_are_not_found(database: Database) -> None:
    store = RunStore(database)
    run = new_run("ann")
    await store.create(run)
    for attempt in (
        store.get("bob", run.run_id),
        store.thread("bob", "shared"),
        store.delete_thread("bob", "shared"),
        store.create(new_run("bob")),
    ):
        with pytest.raises(NotFoundError):
            await attempt
    assert await store.threads("bob", 10) == []
    assert [row.thread_id for row in await store.threads("ann", 10)] == ["shared"]
    assert (await store.get("ann", run.run_id)).message == "hello"
    assert len((await store.thread("ann", "shared"))[1]) == 1


async def test_another_owner_s_document_is_not_found(database: Database, tmp_path: Path) -> None:
    documents = DocumentService(database, tmp_path)
    row = NewDocument("ann", b"text", "a.txt", document_id="policy", plain_text=True)
    await DocumentRows(database).put(row, "upload")
    for attempt in (
        documents.get("bob", "policy"),
        documents.retry("bob", "policy"),
        documents.delete("bob", "policy"),
    ):
        with pytest.raises(NotFoundError):
            await attempt
    assert await documents.text("bob", "policy") is None
    assert await documents.list("bob") == []
    assert (await documents.get("ann", "policy")).status == "queued"


SECRET = "The vault code of Bob's branch is 4711."
# Every operation of the native API and of OpenAI's that names something by its id.
OPERATIONS: list[tuple[str, str, Any]] = [
    ("GET", "/api/v1/runs/RUN", None),
    ("GET", "/api/v1/runs/RUN/events", None),
    ("POST", "/api/v1/runs/RUN/cancel", None),
    ("GET", "/api/v1/threads/THREAD", None),
    ("DELETE", "/api/v1/threads/THREAD", None),
    ("GET", "/api/v1/documents/DOCUMENT", None),
    ("GET", "/api/v1/documents/DOCUMENT?include=text", None),
    ("DELETE", "/api/v1/documents/DOCUMENT", None),
    ("GET", "/api/v1/ingestions/INGESTION", None),
    ("POST", "/api/v1/ingestions/INGESTION/finish", None),
    ("POST", "/api/v1/chat", {"message": QUESTION, "stream": False, "thread_id": "THREAD"}),
    ("POST", "/api/v1/chat", {"message": QUESTION, "stream": False, "document_ids": ["DOCUMENT"]}),
    ("POST", "/api/v1/extract", {"document_id": "DOCUMENT", "schema": "receipt"}),
    ("POST", "/api/v1/extract/corrections", {"run_id": "RUN", "fields": {"total": {"value": None}}}),
    (
        "POST",
        "/api/v1/extract/corrections",
        {"document_id": "DOCUMENT", "schema": "receipt", "fields": {"total": {"value": None}}},
    ),
    ("GET", "/api/v1/reviews/RUN", None),
    ("POST", "/api/v1/reviews/RUN", {"decision": "approve"}),
    ("POST", "/api/v1/feedback", {"run_id": "RUN", "score": 1}),
    (
        "POST",
        "/v1/chat/completions",
        {
            "model": "switchyard",
            "messages": [{"role": "user", "content": QUESTION}],
            "metadata": {"thread_id": "THREAD"},
        },
    ),
]


@pytest.fixture(scope="module")
def bobs(keyed: Keyed) -> dict[str, str]:
    """The ids of what Bob made with his key."""

    def post(path: str, body: Any) -> Any:
        answer = keyed.request("bob", "POST", f"/api/v1{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    document = post("/documents?wait=true", {"id": "bobs-secret", "title": "Bob", "text": SECRET})
    turn = post("/chat", {"message": "What is the vault code of the branch?", "stream": False})
    return {
        "RUN": turn["run_id"],
        "THREAD": turn["thread_id"],
        "DOCUMENT": document["document_id"],
        "INGESTION": post("/ingestions", {})["ingestion_id"],
    }


def filled(value: Any, ids: dict[str, str]) -> Any:
    """A path or body with Bob's ids in it."""
    if isinstance(value, dict):
        return {name: filled(each, ids) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, ids) for each in value]
    for name, each in ids.items():
        value = value.replace(name, each) if isinstance(value, str) else value
    return value


def seen_by_bob(keyed: Keyed, ids: dict[str, str]) -> list[Any]:
    """What Bob has, as he sees it."""
    paths = (
        "runs/RUN",
        "runs/RUN/events",
        "threads/THREAD",
        "documents",
        "ingestions",
        "documents/DOCUMENT?include=text",
    )
    return [keyed.request("bob", "GET", f"/api/v1/{filled(path, ids)}").text for path in paths]


@pytest.mark.parametrize(("method", "path", "body"), OPERATIONS)
def test_with_two_keys_the_other_s_is_not_found(
    keyed: Keyed, bobs: dict[str, str], method: str, path: str, body: Any
) -> None:
    before = seen_by_bob(keyed, bobs)
    answer = keyed.request("ann", method, filled(path, bobs), json=filled(body, bobs))
    assert answer.status_code == 404, answer.text
    assert "4711" not in answer.text
    assert seen_by_bob(keyed, bobs) == before


def test_no_operation_with_an_id_is_left_out(keyed: Keyed) -> None:
    paths = keyed.request("ann", "GET", "/openapi.json").json()["paths"]
    there = {
        (method.upper(), path)
        for path, operations in paths.items()
        for method in operations
        if path.startswith("/api/v1/") and "{" in path
    }
    names = {"THREAD": "{thread_id}", "RUN": "{run_id}", "DOCUMENT": "{document_id}", "INGESTION": "{ingestion_id}"}
    asked = {(method, filled(path.partition("?")[0], names)) for method, path, _ in OPERATIONS}
    assert there <= asked


def test_lists_searches_and_answers_hold_only_one_s_own(keyed: Keyed, bobs: dict[str, str]) -> None:
    def get(path: str) -> httpx.Response:
        return keyed.request("ann", "GET", f"/api/v1/{path}")

    def post(path: str, body: Any) -> httpx.Response:
        return keyed.request("ann", "POST", f"/api/v1/{path}", json=body)

    asked = {"message": "What is the vault code of the branch?", "stream": False}
    found = [
        get("threads"),
        get("documents"),
        get("ingestions"),
        post("search", {"query": "vault code of the branch", "top_k": 50}),
        post("search", {"query": "vault code", "filters": {"document_ids": [bobs["DOCUMENT"]]}}),
        post("chat", asked),
    ]
    for answer in found:
        assert answer.status_code == 200, answer.text
        assert "4711" not in answer.text
        assert not [value for value in bobs.values() if value in answer.text]
    retried = post("documents/retry", {"ids": [bobs["DOCUMENT"]]}).json()
    assert (retried["indexed"], retried["failed"][0]["error"]) == (0, "not_found")


@pytest.mark.parametrize("name", ["bob/default", "../bob/default", "bob/default/", "default"])
def test_no_collection_s_name_leads_to_the_other_s(keyed: Keyed, bobs: dict[str, str], name: str) -> None:
    answer = keyed.request("ann", "POST", "/api/v1/search", json={"query": "vault code", "collection": name})
    assert "4711" not in answer.text
    assert bobs["DOCUMENT"] not in answer.text


@pytest.mark.parametrize("field", ["owner", "owner_id", "user_id", "key_id"])
def test_no_field_of_a_body_says_who_asks(keyed: Keyed, field: str) -> None:
    for path, body in (
        ("chat", {"message": QUESTION, "stream": False}),
        ("search", {"query": "vault code"}),
        ("documents", {"title": "a", "text": "b"}),
    ):
        answer = keyed.request("ann", "POST", f"/api/v1/{path}", json={**body, field: "bob"})
        assert_error(answer, 422, "invalid_request")


def test_the_same_id_is_another_document_for_another_owner(keyed: Keyed) -> None:
    for name in ("ann", "bob"):
        body = {"id": "same", "title": "same", "text": f"This one is {name}'s."}
        assert keyed.request(name, "POST", "/api/v1/documents?wait=true", json=body).status_code == 201
    for name in ("ann", "bob"):
        told = keyed.request(name, "GET", "/api/v1/documents/same?include=text").json()
        assert told["text"] == f"This one is {name}'s."
        assert keyed.request(name, "DELETE", "/api/v1/documents/same").status_code == 204


def test_two_keys_of_one_owner_see_the_same(keyed: Keyed) -> None:
    turn = keyed.request("chat", "POST", "/api/v1/chat", json={"message": QUESTION, "stream": False}).json()
    seen = [keyed.request(name, "GET", f"/api/v1/runs/{turn['run_id']}") for name in ("ann", "chat")]
    assert [answer.status_code for answer in seen] == [200, 200]
    assert seen[0].json() == seen[1].json()


async def test_many_writers_take_turns(database: Database) -> None:
    store = RunStore(database)
    runs = [new_run("ann", f"thread-{n % 5}") for n in range(100)]
    await asyncio.gather(*(store.create(run) for run in runs))
    assert len(await store.threads("ann", 100)) == 5
    counted = [len((await store.thread("ann", f"thread-{n}"))[1]) for n in range(5)]
    assert counted == [20] * 5
