"""Search: by meaning, by words or both, with filters and reranking."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.server.errors import assert_error

QUERY = "dispute a debit card charge"


def search(http: httpx.Client, **body: Any) -> list[dict[str, Any]]:
    answer = http.post("/search", json={"query": QUERY, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


@pytest.mark.parametrize("mode", ["hybrid", "dense", "sparse"])
@pytest.mark.parametrize("rerank", [False, True])
def test_every_mode_finds_the_passage(http: httpx.Client, mode: str, rerank: bool) -> None:
    results = search(http, mode=mode, rerank=rerank)
    assert results[0]["document_id"] == "debit"
    assert set(results[0]) == {"document_id", "chunk_id", "title", "text", "page", "score", "metadata"}
    scores = [result["score"] for result in results]
    assert scores == sorted(scores, reverse=True)


def test_top_k_limits_the_results(http: httpx.Client) -> None:
    assert len(search(http, top_k=1)) == 1


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"metadata": {"team": "travel"}}, {"travel"}),
        ({"metadata": {"year": 2026}}, {"disputes", "debit"}),
        ({"metadata": {"year": 2026, "team": "debit"}}, {"debit"}),
        ({"metadata": {"team": "nobody"}}, set[str]()),
        ({"document_ids": ["travel", "debit"]}, {"travel", "debit"}),
        ({"document_ids": ["travel"], "metadata": {"team": "debit"}}, set[str]()),
        ({"document_ids": []}, {"disputes", "debit", "travel"}),
    ],
)
def test_filters(http: httpx.Client, filters: dict[str, Any], expected: set[str]) -> None:
    assert {r["document_id"] for r in search(http, mode="dense", top_k=50, filters=filters)} == expected


def test_metadata_comes_back(http: httpx.Client) -> None:
    assert search(http)[0]["metadata"] == {"team": "debit", "year": 2026}


@pytest.mark.parametrize("query", ["?", "the of and", "🃏", "' OR 1=1 --", "\x00"])
def test_odd_queries_are_answered(http: httpx.Client, query: str) -> None:
    for mode in ("hybrid", "dense", "sparse"):
        answer = http.post("/search", json={"query": query + "x", "mode": mode})
        assert answer.status_code == 200, answer.text


def test_an_unknown_collection_is_empty(http: httpx.Client) -> None:
    assert search(http, collection="never filled") == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": ""}, "invalid_request"),
        ({"query": "a" * 10_001}, "invalid_request"),
        ({"query": QUERY, "top_k": 0}, "invalid_request"),
        ({"query": QUERY, "top_k": 101}, "invalid_request"),
        ({"query": QUERY, "mode": "psychic"}, "invalid_request"),
        ({"query": QUERY, "filters": {"owner": "x"}}, "invalid_request"),
        ({"query": QUERY, "filters": {"metadata": {"a": {"b": 1}}}}, "invalid_request"),
        ({"query": QUERY, "filters": {"metadata": {"a": 2**80}}}, "invalid_number"),
        ({}, "invalid_request"),
    ],
)
def test_bad_searches_are_refused(http: httpx.Client, body: Any, code: str) -> None:
    assert_error(http.post("/search", json=body), 422, code)
