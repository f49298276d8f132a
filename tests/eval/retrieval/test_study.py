"""The study, with the real models and the real store, on a corpus of four documents."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from eval.cases import REPOSITORY
from eval.retrieval.corpora import Corpus, Question
from eval.retrieval.measure import MEASURES
from eval.retrieval.page import draw, retrieval_page
from eval.retrieval.study import LEGS, MODES, Setup, study
from tests.fakes.cross_encoder import write_cross_encoder
from tools.knowledge.documents import Page, ParsedDocument

DOCUMENTS = {
    "harbour": "The old harbour was opened in 1820 by the mayor. Ships carried wool and salt.",
    "bakery": "The bakery sells rye bread every morning. Cakes are made on Sundays only.",
    "school": "Pupils learn to read in the first year. The library lends them books.",
    "station": "Trains leave every hour. The waiting room is heated in winter.",
}


@pytest.fixture(scope="module")
def setup(pytestconfig: pytest.Config) -> Setup:
    return Setup.load(Path(pytestconfig.cache.mkdir("switchyard")))


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    documents = {name: ParsedDocument(name, [Page(text)], "text/plain") for name, text in DOCUMENTS.items()}
    questions = [
        Question("When was the harbour opened?", "harbour", (("1820",),)),
        Question("What does the bakery sell?", "bakery", (("rye bread",),)),
        Question("Who heats the tram?", "station", (("nobody wrote this",),)),
    ]
    return Corpus("town", documents, questions)


def test_a_cross_encoder_reranks_in_place_of_the_sentences(
    setup: Setup, corpus: Corpus, pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    folder = write_cross_encoder(tmp_path, sign=-1)
    contrary = Setup.load(Path(pytestconfig.cache.mkdir("switchyard")), folder)
    ours, theirs = (study(one, corpus, ("recursive",)) for one in (setup, contrary))
    assert ours[:-1] == theirs[:-1]
    assert ours[-1]["mode"] == "hybrid+rerank"
    assert ours[-1]["mrr@10"]["value"] > theirs[-1]["mrr@10"]["value"]


def test_every_strategy_is_asked_in_every_mode(setup: Setup, corpus: Corpus, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    rows = study(setup, corpus, ("recursive", "fixed"), lambda *heard: told.append(heard))
    assert [(row["chunking"], row["mode"]) for row in rows] == [
        (chunking, mode) for chunking in ("recursive", "fixed") for mode in MODES
    ]
    for row in rows:
        assert (row["documents"], row["chunks"], row["questions"], row["cut_in_two"]) == (4, 4, 3, 1)
        # Two of three: what no chunk holds is not found.
        assert row["recall@10"]["value"] == pytest.approx(2 / 3, abs=1e-4)
        assert row["ndcg@10"]["value"] == pytest.approx(2 / 3, abs=1e-4)
        if row["mode"] not in LEGS:
            assert row["ndcg_over"]["dense"]["difference"]["value"] == 0
    assert told[-1] == ("hybrid+rerank search", 3, 3)

    page = retrieval_page(rows, source="result.json", picture="picture.png")
    assert "## town\n\n4 documents, 3 questions." in page
    assert "| fixed | 4 | 1 | hybrid+rerank | 0.667 (" in page
    assert "- `hybrid`: +0.0% (+0.0% to +0.0%) over dense, +0.0% (+0.0% to +0.0%) over sparse" in page
    assert "| town | 4 | nDCG@10 at most 0.02 below the better leg | +0.000 (+0.000 to +0.000) | met |" in page
    draw(rows, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_a_question_is_searched_where_it_is_asked_and_short_documents_once(setup: Setup, corpus: Corpus) -> None:
    documents = corpus.documents | {"twin": corpus.documents["harbour"]}
    asked = Question("When was the harbour opened?", "twin", (("1820",),), within=("twin",))
    rows = study(setup, replace(corpus, documents=documents, questions=[asked], is_cut=False), ("recursive", "fixed"))
    assert {row["chunking"] for row in rows} == {"recursive"}
    assert {row["recall@1"]["value"] for row in rows} == {1.0}


@pytest.mark.parametrize(
    ("documents", "recall", "gain", "missed"), [(300, 0.97, 0.05, 0), (300, 0.96, 0.05, 1), (2000, 0.5, 0.049, 2)]
)
def test_targets_are_held_against_the_corpora_they_are_about(
    documents: int, recall: float, gain: float, missed: int
) -> None:
    def exactly(value: float) -> dict[str, float]:
        return {"value": value, "low": value, "high": value}

    over = {leg: {"relative": exactly(gain), "difference": exactly(0.01)} for leg in LEGS}
    facts = {"corpus": "town", "chunking": "recursive", "documents": documents, "chunks": documents, "within": False}
    figures = {name: exactly(recall) for name in MEASURES}
    rows = [
        {**facts, "questions": 3, "cut_in_two": 0, "mode": mode, **figures, "ndcg_over": {} if mode in LEGS else over}
        for mode in MODES
    ]
    assert retrieval_page(rows, source="result.json", picture="picture.png").count("**missed**") == missed


def test_the_page_shows_the_result_file() -> None:
    rows = json.loads((REPOSITORY / "docs/results/retrieval.json").read_text("utf-8"))["rows"]
    page = retrieval_page(rows, source="docs/results/retrieval.json", picture="images/retrieval.png")
    assert (REPOSITORY / "docs/retrieval.md").read_text("utf-8") == page
