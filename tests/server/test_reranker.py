"""The server with a cross-encoder of its own (`SWITCHYARD_RERANKER`), which counts shared words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.cross_encoder import write_cross_encoder
from tests.fakes.endpoint import FakeEndpoint
from tests.server.site import QUESTION, Site, open_site

MODES = ["hybrid", "dense", "sparse"]


def opened(folder: Path, fake: FakeEndpoint, config: pytest.Config, sign: float) -> Iterator[Site]:
    reranker = write_cross_encoder(folder / "reranker", sign=sign)
    with open_site(folder, fake, config, reranker=reranker) as site:
        yield site


@pytest.fixture(scope="module")
def more(_fake: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Site]:
    """Passages that share more words with the question come first."""
    yield from opened(tmp_path_factory.mktemp("more"), _fake, pytestconfig, 1)


@pytest.fixture(scope="module")
def fewer(_fake: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Site]:
    """Passages that share fewer words come first."""
    yield from opened(tmp_path_factory.mktemp("fewer"), _fake, pytestconfig, -1)


def search(site: Site, **body: Any) -> list[dict[str, Any]]:
    answer = site.http.post("/search", json={"query": QUESTION, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def ids(results: list[dict[str, Any]]) -> list[str]:
    return [result["document_id"] for result in results]


@pytest.mark.parametrize("mode", MODES)
def test_a_search_is_ordered_by_the_model(more: Site, fewer: Site, mode: str) -> None:
    found = search(more, mode=mode, rerank=True)
    assert ids(found)[0] == "disputes"
    scores = [result["score"] for result in found]
    assert scores == sorted(scores, reverse=True)
    assert all(score == int(score) for score in scores)
    turned = search(fewer, mode=mode, rerank=True)
    assert {one["document_id"]: one["score"] for one in turned} == {one["document_id"]: -one["score"] for one in found}
    assert ids(turned)[-1] == "disputes"


@pytest.mark.parametrize("mode", MODES)
def test_a_search_that_asks_for_none_stays_as_it_is(more: Site, fewer: Site, mode: str) -> None:
    assert search(more, mode=mode) == search(fewer, mode=mode)


def test_reranking_chooses_from_more_than_it_returns(fewer: Site) -> None:
    [best] = search(fewer, top_k=1)
    [last] = search(fewer, top_k=1, rerank=True)
    assert (best["document_id"], last["document_id"]) == ("disputes", ids(search(fewer, rerank=True))[0])
    assert last["document_id"] != "disputes"


def test_a_question_reads_the_passages_in_the_order_of_the_model(more: Site, fewer: Site) -> None:
    orders = [explained(site) for site in (more, fewer)]
    for site, order in zip((more, fewer), orders, strict=True):
        assert order == [(one["chunk_id"], one["score"]) for one in search(site, rerank=True)]
    assert orders[0][0][0] == orders[1][-1][0] == "disputes#0"


def test_the_answer_is_still_cited(more: Site) -> None:
    result = more.chat(QUESTION)
    assert (result["route"], result["citations"][0]["document_id"]) == ("knowledge", "disputes")


def explained(site: Site) -> list[tuple[str, float]]:
    explanation = site.chat(QUESTION)["explanation"]
    assert explanation["reranker"]
    return [(passage["chunk_id"], passage["score"]) for passage in explanation["passages"]]
