"""Documents: texts and files come in, are listed, read, replaced and removed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.server.errors import assert_error
from tests.server.site import Site
from tests.tools.knowledge.files import policy_pdf

TEXT = "A chargeback form is archived for seven years in the Lisbon vault."
IDS = ["plain", "with/slash/and.dots", "ключ-ümlaut-鍵", "100% & more?#x", "a b", "../up", "batch", "trailing/", "🔑"]


def path_of(document_id: str) -> str:
    return f"/documents/{quote(document_id, safe='')}"


@pytest.mark.parametrize("document_id", IDS)
def test_any_printable_id_comes_back(site: Site, document_id: str) -> None:
    added = site.add({"id": document_id, "title": "Archive", "text": TEXT, "collection": "ids"})
    assert added == {"document_id": document_id, "chunks": 1, "status": "indexed"}
    view = site.http.get(path_of(document_id)).json()
    assert view["document_id"] == document_id
    assert site.http.delete(path_of(document_id)).status_code == 204
    assert_error(site.http.get(path_of(document_id)), 404, "not_found")
    assert_error(site.http.delete(path_of(document_id)), 404, "not_found")


def test_a_text_is_stored_as_it_came(site: Site) -> None:
    text = "# Archive\r\n\r\nNaïve café — 5 € \U0001f4b3.\n"
    metadata = {"team": "ops", "year": 2026, "open": True, "ratio": 0.5, "none": None}
    site.add({"id": "stored", "title": "Title", "text": text, "metadata": metadata, "collection": "stored"})
    view = site.http.get("/documents/stored", params={"include": "text"}).json()
    assert view["text"] == text
    assert view["metadata"] == metadata
    assert (view["title"], view["collection"], view["status"], view["error"]) == ("Title", "stored", "indexed", None)
    assert site.http.get("/documents/stored").json()["text"] is None


def test_without_wait_a_document_is_queued_and_then_indexed(site: Site) -> None:
    body = {"id": "later", "title": "Later", "text": TEXT, "collection": "later"}
    answer = site.http.post("/documents", json=body)
    assert answer.status_code == 202
    assert answer.json()["document_id"] == "later"
    assert answer.json()["status"] in {"queued", "indexing", "indexed"}
    site.add(body)
    assert site.http.get("/documents/later").json()["status"] == "indexed"


def test_the_same_file_twice_is_one_document(site: Site) -> None:
    content = policy_pdf()
    first, second = (site.upload("policy.pdf", content, collection="twice").json() for _ in range(2))
    assert first == second
    assert first["status"] == "indexed"
    assert chunks_of(site, "twice", first["document_id"]) == first["chunks"]
    assert [d["document_id"] for d in listed(site, "twice")] == [first["document_id"]]


def test_the_same_file_eight_times_at_once_is_one_document(site: Site) -> None:
    content = policy_pdf()
    with ThreadPoolExecutor(8) as uploads:
        answers = list(uploads.map(lambda _: site.upload("once.pdf", content, collection="at-once"), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    (document_id,) = {answer.json()["document_id"] for answer in answers}
    assert len(listed(site, "at-once")) == 1
    assert chunks_of(site, "at-once", document_id) == answers[0].json()["chunks"]


def test_the_same_id_replaces(site: Site) -> None:
    site.add({"id": "policy", "title": "Old", "text": "Refunds take nine days.", "collection": "replace"})
    site.add({"id": "policy", "title": "New", "text": "Refunds take four days.", "collection": "replace"})
    (document,) = listed(site, "replace")
    assert document["title"] == "New"
    assert [r["text"] for r in search(site, "replace", "refunds days")] == ["Refunds take four days."]


def test_a_replacement_that_cannot_be_read_says_so_and_finds_nothing_old(site: Site) -> None:
    site.upload("form.txt", b"Refunds take nine days.", id="form", collection="unreadable")
    answer = site.upload("form.pdf", b"%PDF-1.7\nnothing", id="form", collection="unreadable")
    assert_error(answer, 422, "corrupt_document")
    (document,) = listed(site, "unreadable")
    assert (document["status"], document["chunks"], document["error"]["code"]) == ("failed", 0, "corrupt_document")
    assert search(site, "unreadable", "refunds") == []


def test_the_chunking_strategy_is_chosen_at_each_upload(site: Site) -> None:
    text = "## Fees\n\nA card costs ten euros.\n\n## Limits\n\nThe limit is 500 euros."
    found: dict[str, list[str]] = {}
    for strategy in ("fixed", "recursive", "semantic"):
        site.upload("cut.md", text.encode(), collection="cut", chunking=strategy, chunk_size="16", chunk_overlap="0")
        (document,) = listed(site, "cut")
        found[strategy] = [r["text"] for r in search(site, "cut", "card limit") if document["status"] == "indexed"]
    assert any("Fees" in chunk and "Limits" in chunk for chunk in found["fixed"])
    assert not any("Fees" in chunk and "Limits" in chunk for chunk in found["recursive"])
    assert sorted(found["semantic"]) == sorted(found["recursive"])
    default = site.upload("default.md", text.encode(), collection="default-cut").json()
    again = site.upload("default.md", text.encode(), collection="default-cut", chunking="recursive").json()
    assert default == again


def test_a_deleted_document_is_found_no_more(site: Site) -> None:
    site.add({"id": "gone", "title": "Gone", "text": TEXT, "collection": "gone"})
    assert [r["document_id"] for r in search(site, "gone", "Lisbon vault")] == ["gone"]
    site.http.delete("/documents/gone")
    assert search(site, "gone", "Lisbon vault") == []
    assert site.rows("SELECT * FROM documents WHERE document_id = 'gone'") == []


def test_a_batch_with_bad_members_indexes_the_others(site: Site) -> None:
    documents = [
        {"id": "good", "title": "Good", "text": TEXT},
        {"id": "blank", "title": "Blank", "text": " \n "},
        {"title": "No id", "text": ""},
        {"id": "also good", "title": "Good, too", "text": "The vault opens at eight."},
    ]
    answer = site.http.post("/documents/batch", json={"documents": documents, "collection": "batch"})
    assert answer.status_code == 200
    assert answer.json()["indexed"] == 2
    assert [(f["id"], f["error"]) for f in answer.json()["failed"]] == [
        ("blank", "empty_document"),
        ("2", "empty_document"),
    ]
    assert {r["document_id"] for r in search(site, "batch", "Lisbon vault")} == {"good", "also good"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"documents": []}, "invalid_request"),
        ({"documents": [{"title": "A", "text": "b"}] * 501}, "invalid_request"),
        ({"documents": [{"title": "A", "text": "b", "extra": 1}]}, "invalid_request"),
        ({"documents": [{"title": "", "text": "b"}]}, "invalid_request"),
        ({"documents": [{"id": "", "title": "A", "text": "b"}]}, "invalid_request"),
        ({"documents": [{"title": "A", "text": "b", "metadata": {"nested": {}}}]}, "invalid_request"),
        ({"documents": [{"title": "A", "text": "b", "metadata": {"big": 2**70}}]}, "invalid_number"),
        ({"documents": [{"title": "A", "text": "b"}], "chunk_size": 20, "chunk_overlap": 20}, "invalid_chunking"),
        ({"documents": [{"title": "A", "text": "b"}], "chunk_size": 100_000}, "invalid_request"),
        ({"documents": [{"title": "A", "text": "b"}], "chunking": "magic"}, "invalid_request"),
    ],
)
def test_a_bad_batch_is_refused_as_a_whole(http: httpx.Client, body: Any, code: str) -> None:
    assert_error(http.post("/documents/batch", json=body), 422, code)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"title": "A", "text": "\xff"}', "invalid_json"),
        (b'{"title": "A", "text": "\\ud800"}', "invalid_json"),
        (b'{"title": "A", "text": "b", "metadata": {"n": NaN}}', "invalid_number"),
        (b'{"title": "A", "text": 5}', "invalid_request"),
        (b'{"title": "A"}', "invalid_request"),
        (b'{"title": "A", "text": "b", "owner": "somebody"}', "invalid_request"),
        (b"[]", "invalid_request"),
    ],
)
def test_a_bad_text_is_refused(http: httpx.Client, content: bytes, code: str) -> None:
    answer = http.post("/documents?wait=true", content=content, headers={"Content-Type": "application/json"})
    assert_error(answer, 422, code)


def test_another_content_type_is_refused(http: httpx.Client) -> None:
    answer = http.post("/documents", content=b"text", headers={"Content-Type": "text/plain"})
    assert_error(answer, 415, "unsupported_media_type")
    assert_error(http.post("/documents"), 415, "unsupported_media_type")


def test_a_form_without_a_file_is_refused(http: httpx.Client) -> None:
    assert_error(http.post("/documents", files={"other": ("a.txt", b"text")}), 422, "missing_file")
    assert_error(http.post("/documents", files={"file": (None, b"text")}), 422, "missing_file")


def test_a_broken_form_is_refused(http: httpx.Client) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert_error(http.post("/documents", content=b"--y\r\nnonsense", headers=headers), 400, "bad_request")
    assert_error(
        http.post("/documents", content=b"", headers={"Content-Type": "multipart/form-data"}), 400, "bad_request"
    )


def test_two_files_in_one_form_are_refused(http: httpx.Client) -> None:
    files = [("file", ("a.txt", b"one")), ("file", ("b.txt", b"two"))]
    assert_error(http.post("/documents", files=files), 400, "bad_request")


def test_unknown_documents(http: httpx.Client) -> None:
    assert_error(http.get("/documents/no such"), 404, "not_found")
    assert_error(http.delete("/documents/no such"), 404, "not_found")


def test_two_collections_keep_their_documents_apart(site: Site) -> None:
    for collection, text in (("east", "Refunds take nine days."), ("west", "Refunds take four days.")):
        site.add({"id": "shared", "title": "Refunds", "text": text, "collection": collection})
    assert [r["text"] for r in search(site, "east", "refunds")] == ["Refunds take nine days."]
    assert [r["text"] for r in search(site, "west", "refunds")] == ["Refunds take four days."]


def listed(site: Site, collection: str) -> list[dict[str, Any]]:
    return [d for d in site.http.get("/documents").json()["documents"] if d["collection"] == collection]


def search(site: Site, collection: str, query: str) -> list[dict[str, Any]]:
    answer = site.http.post("/search", json={"query": query, "collection": collection, "top_k": 100})
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def chunks_of(site: Site, collection: str, document_id: str) -> int:
    found = search(site, collection, "dispute cardholder posting date code evidence")
    return len({r["chunk_id"] for r in found if r["document_id"] == document_id})
