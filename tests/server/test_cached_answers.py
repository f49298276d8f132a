"""Answers from the cache over HTTP: shown as such, gone with every change of the documents and with the process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.endpoint import FakeEndpoint
from tests.server.site import ANSWER, DOCUMENTS, QUESTION, Site, open_site, serve


@pytest.fixture
def caching(fake: FakeEndpoint, tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[Site]:
    """A server of its own that keeps answers, with the usual documents."""
    with open_site(tmp_path, fake, pytestconfig, answer_cache="on") as site:
        yield site


def test_a_repeated_question_streams_the_same_answer_and_says_where_it_is_from(
    caching: Site, fake: FakeEndpoint
) -> None:
    first, events = caching.chat(), caching.stream()
    result = events[-2].data
    assert [event.name for event in events] == ["run", "route", "token", "result", "end"]
    assert (first["cached"], result["cached"]) == (False, True)
    for name in ("route", "confidence", "answer", "citations", "versions"):
        assert result[name] == first[name], name
    assert ANSWER in result["citations"][0]["quote"]
    assert result["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "cost_usd": 0.0}
    assert result["timings"]["ttft_ms"] is not None
    assert caching.http.get(f"/runs/{result['run_id']}").json()["result"]["cached"] is True
    (row,) = caching.rows("SELECT * FROM query_log WHERE run_id = ?", result["run_id"])
    assert (row["answer"], row["completion_tokens"]) == (result["answer"], 0)
    assert len(fake.requests) == 1


def test_ingestion_and_deletion_ask_anew(caching: Site) -> None:
    policy = DOCUMENTS[0]
    assert [caching.chat()["cached"] for _ in range(2)] == [False, True]
    shorter = {**policy, "text": str(policy["text"]).replace("120", "75")}
    caching.add(shorter)
    changed = caching.chat()
    assert (changed["cached"], "75 days" in changed["answer"]) == (False, True)
    assert caching.chat()["cached"]

    caching.upload("rules.md", b"# Rules\n\nThe desk opens at nine.")
    assert [caching.chat()["cached"] for _ in range(2)] == [False, True]

    assert caching.http.delete(f"/documents/{policy['id']}").status_code == 204
    gone = caching.chat()
    assert (gone["cached"], "75 days" in gone["answer"]) == (False, False)


def test_a_document_that_a_broken_file_replaced_gives_no_old_answer(caching: Site) -> None:
    assert [caching.chat()["cached"] for _ in range(2)] == [False, True]
    refused = caching.upload("broken.pdf", b"%PDF-1.7 nothing more", id=str(DOCUMENTS[0]["id"]))
    assert refused.status_code == 422
    result = caching.chat()
    assert (result["cached"], ANSWER in result["answer"]) == (False, False)


def test_the_cache_ends_with_the_process_and_versions_do_not(
    fake: FakeEndpoint, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    with open_site(tmp_path, fake, pytestconfig, answer_cache="on") as site:
        before = [site.chat() for _ in range(2)]
    with serve(site.settings) as again:
        after = again.chat()
    assert [before[0]["cached"], before[1]["cached"], after["cached"]] == [False, True, False]
    assert after["explanation"]["corpus_version"] == before[0]["explanation"]["corpus_version"]


def test_a_setting_switches_it_off(site: Site, fake: FakeEndpoint) -> None:
    assert site.settings.answer_cache == "off"
    assert [site.chat(QUESTION)["cached"] for _ in range(2)] == [False, False]
    assert len(fake.requests) == 2
