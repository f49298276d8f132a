"""The checks after a batch: counts, empty texts, duplicates, probe queries before and after; kept for later."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.server.errors import assert_error
from tests.server.site import QUESTION, Site

RULE = "The vault opens at eight in the morning, and the guard signs the book."


def start(site: Site, collection: str, *probes: str) -> str:
    answer = site.http.post("/ingestions", json={"collection": collection, "probes": probes})
    assert answer.status_code == 201, answer.text
    assert answer.json()["report"] is None
    return answer.json()["ingestion_id"]


def finish(site: Site, ingestion_id: str) -> dict[str, Any]:
    answer = site.http.post(f"/ingestions/{ingestion_id}/finish")
    assert answer.status_code == 200, answer.text
    return answer.json()["report"]


def codes(report: dict[str, Any]) -> list[str]:
    return [problem["code"] for problem in report["problems"]]


def test_a_sound_batch_has_no_problems_and_its_report_is_kept(site: Site) -> None:
    batch = start(site, "sound", "When does the vault open?")
    site.add({"id": "vault", "title": "Vault", "text": RULE, "collection": "sound"})
    report = finish(site, batch)
    assert report == {
        "counts": {
            "indexed": 1,
            "failed": 0,
            "waiting": 0,
            "chunks": 1,
            "chunks_in_index": 1,
            "empty": 0,
            "duplicate_rate": 0.0,
        },
        "probes": [{"query": "When does the vault open?", "before": [], "after": ["vault"]}],
        "problems": [],
    }
    assert site.http.get(f"/ingestions/{batch}").json()["report"] == report
    assert site.http.get("/ingestions", params={"limit": 1}).json()["ingestions"][0]["ingestion_id"] == batch


def test_duplicates_empty_texts_and_failures_are_named(site: Site) -> None:
    batch = start(site, "poor")
    for name in ("one", "two", "three", "four"):
        site.add({"id": name, "title": name, "text": RULE, "collection": "poor"})
    site.add({"id": "blank", "title": "blank", "text": "Page 1", "collection": "poor"})
    site.upload("broken.pdf", b"%PDF-1.7\nnothing", collection="poor")
    report = finish(site, batch)
    assert codes(report) == ["failed_documents", "empty_text", "duplicates"]
    assert report["counts"]["duplicate_rate"] == pytest.approx(3 / 5)
    assert (report["counts"]["empty"], report["counts"]["failed"]) == (1, 1)


def test_a_probe_that_finds_nothing_of_what_it_did_is_named(site: Site) -> None:
    site.add({"id": "vault", "title": "Vault", "text": RULE, "collection": "lost"})
    batch = start(site, "lost", "When does the vault open?")
    site.http.delete("/documents/vault", params={"collection": "lost"})
    site.add({"id": "fees", "title": "Fees", "text": "A card costs ten euros, paid in advance.", "collection": "lost"})
    report = finish(site, batch)
    assert codes(report) == ["probe_lost"]
    assert report["probes"][0]["before"] == ["vault"]


def test_an_index_that_lost_chunks_is_named(site: Site) -> None:
    site.add({"id": "vault", "title": "Vault", "text": RULE, "collection": "differs"})
    with closing(sqlite3.connect(site.settings.app_database)) as connection, connection:
        connection.execute("UPDATE documents SET chunks = 3 WHERE collection = 'differs'")
    report = finish(site, start(site, "differs"))
    assert codes(report) == ["chunks_differ"]
    assert report["problems"][0]["message"] == "The index holds 1 chunks, the documents have 3."


def test_without_probes_the_last_questions_are_asked(site: Site) -> None:
    site.chat(QUESTION)
    report = finish(site, start(site, "default"))
    asked = {probe["query"]: probe for probe in report["probes"]}
    assert asked[QUESTION]["before"] == asked[QUESTION]["after"]
    assert "disputes" in asked[QUESTION]["after"]


def test_what_does_not_exist_or_belongs_to_somebody_else(site: Site) -> None:
    with closing(sqlite3.connect(site.settings.app_database)) as connection, connection:
        connection.execute("INSERT INTO ingestions VALUES ('bobs', 'bob', 'c', '{}', NULL, 1.0, NULL)")
    for name in ("bobs", "nothing"):
        assert_error(site.http.get(f"/ingestions/{name}"), 404, "not_found")
        assert_error(site.http.post(f"/ingestions/{name}/finish"), 404, "not_found")
    assert "bobs" not in site.http.get("/ingestions", params={"limit": 200}).text
    too_many = {"probes": ["q"] * 21}
    assert_error(site.http.post("/ingestions", json=too_many), 422, "invalid_request")
