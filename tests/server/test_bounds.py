"""Numbers that no database holds, lists that no statement takes, and what is no number: refused, not failed on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.errors import assert_protocol_error
from tests.server.site import Site

HUGE = 10**18
THREAD = "bounded"


@pytest.fixture(scope="module", autouse=True)
def thread(site: Site) -> None:
    site.http.post(f"{site.url}/threads", json={"thread_id": THREAD, "if_exists": "do_nothing"}).raise_for_status()


@pytest.mark.parametrize(
    "path", [f"/threads/{THREAD}/runs?offset={HUGE}", f"/api/v1/reviews?offset={HUGE}", "/api/v1/threads?limit=501"]
)
def test_places_beyond_every_list_are_refused(site: Site, path: str) -> None:
    assert_protocol_error(site.http.get(f"{site.url}{path}"), 422, "invalid_request")


@pytest.mark.parametrize("path", ["/threads/search", "/threads/count", "/assistants/search", "/assistants/count"])
@pytest.mark.parametrize(
    ("body", "code"),
    [({"offset": HUGE}, "invalid_request"), ({"offset": False}, "invalid_number"), ({"limit": True}, "invalid_number")],
)
def test_pages_of_a_protocol_s_list_are_bounded(site: Site, path: str, body: Any, code: str) -> None:
    assert_protocol_error(site.http.post(f"{site.url}{path}", json=body), 422, code)


def test_a_search_names_a_thousand_threads_at_most(site: Site) -> None:
    ids = [THREAD, *(f"other-{number}" for number in range(999))]
    assert site.http.post(f"{site.url}/threads/count", json={"ids": ids}).json() == 1
    assert_protocol_error(
        site.http.post(f"{site.url}/threads/count", json={"ids": [*ids, "more"]}), 422, "invalid_request"
    )


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/api/v1/search", {"query": "fees", "rerank": "yes"}, "invalid_request"),
        ("/api/v1/search", {"query": "fees", "rerank": 1}, "invalid_request"),
        ("/api/v1/search", {"query": "fees", "top_k": True}, "invalid_number"),
        ("/api/v1/chat", {"message": "Fees?", "stream": "no"}, "invalid_request"),
        ("/api/v1/documents", {"title": "Fees", "text": "None.", "chunk_overlap": False}, "invalid_number"),
    ],
)
def test_flags_are_flags_and_numbers_are_numbers(site: Site, path: str, body: Any, code: str) -> None:
    assert_protocol_error(site.http.post(f"{site.url}{path}", json=body), 422, code)


def test_a_passage_without_sentences_has_a_score(site: Site) -> None:
    added = site.add({"id": "bare", "title": "Bare", "text": "# Bare", "collection": "bare"})
    assert added["chunks"] == 1
    found = site.http.post("/search", json={"query": "bare", "collection": "bare", "rerank": True}).json()["results"]
    assert [result["document_id"] for result in found] == ["bare"]
    assert isinstance(found[0]["score"], float | int)
