from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.knowledge.documents import Passage
from tools.knowledge.evidence import EvidenceGate, content_terms, evidence_features

QUERY = "How long is the warranty on the compressor?"


@pytest.fixture(scope="module")
def gate() -> EvidenceGate:
    return EvidenceGate.load()


def passage(text: str, *, dense: float | None = 0.7, sparse: float | None = 8.0, agreement: float = 0.98) -> Passage:
    return Passage("d#0", "d", "Manual", text, None, (), 1.0, dense, sparse, agreement)


ANSWER = passage("The warranty on the compressor is three years from the date of delivery.")


def test_no_passage_means_no_answer(gate: EvidenceGate) -> None:
    evidence = gate.assess(QUERY, [], corpus_size=0)
    assert not evidence.answerable
    assert evidence.probability == 0


@pytest.mark.parametrize("query", ["", "   ", "and what about it?", "😀😀", "?!"])
def test_a_query_without_content_is_not_answerable(gate: EvidenceGate, query: str) -> None:
    assert not gate.assess(query, [ANSWER], corpus_size=50).answerable


def test_a_passage_about_the_matter_is_evidence(gate: EvidenceGate) -> None:
    others = [passage("Clean the filter every month.", dense=0.4, sparse=None, agreement=0.49)] * 4
    assert gate.assess(QUERY, [ANSWER, *others], corpus_size=50).answerable


def test_passages_about_something_else_are_not(gate: EvidenceGate) -> None:
    far = [passage("Cats sleep most of the day.", dense=0.08, sparse=None, agreement=0.49)] * 5
    assert not gate.assess(QUERY, far, corpus_size=50).answerable


@given(st.floats(-1, 0.9), st.floats(0, 0.1))
def test_a_higher_cosine_is_never_weaker_evidence(cosine: float, step: float) -> None:
    gate = EvidenceGate.load()
    lower = gate.assess(QUERY, [replace(ANSWER, dense=cosine)], corpus_size=50).probability
    higher = gate.assess(QUERY, [replace(ANSWER, dense=cosine + step)], corpus_size=50).probability
    assert higher >= lower


def test_a_covered_word_is_never_weaker_evidence(gate: EvidenceGate) -> None:
    without = passage("The guarantee on the pump is three years from the date of delivery.")
    partly = passage("The warranty on the pump is three years from the date of delivery.")
    scores = [gate.assess(QUERY, [each], corpus_size=50).probability for each in (without, partly, ANSWER)]
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


def test_a_missing_number_counts_against(gate: EvidenceGate) -> None:
    asked = "warranty on the compressor in 1987"
    without = gate.assess(asked, [ANSWER], corpus_size=50)
    dated = gate.assess(asked, [passage(ANSWER.text + " As of 1987.")], corpus_size=50)
    assert without.features["missing_number"] == 1
    assert dated.probability > without.probability


def test_the_same_likeness_means_less_among_many_chunks(gate: EvidenceGate) -> None:
    few = gate.assess(QUERY, [ANSWER], corpus_size=10).probability
    many = gate.assess(QUERY, [ANSWER], corpus_size=10_000).probability
    assert many <= few


@given(st.text(max_size=300), st.text(max_size=300), st.one_of(st.none(), st.floats(-1, 1)))
def test_any_text_gets_a_probability(query: str, text: str, dense: float | None) -> None:
    evidence = EvidenceGate.load().assess(query, [passage(text, dense=dense, sparse=None)], corpus_size=1)
    assert 0 <= evidence.probability <= 1
    assert evidence.answerable == (evidence.probability >= evidence.threshold)


def test_a_huge_query_is_judged_by_its_beginning(gate: EvidenceGate) -> None:
    assert gate.assess("word " * 300_000, [ANSWER], corpus_size=5).probability >= 0


def test_terms_are_stems_without_function_words() -> None:
    assert content_terms("What are the warranties of the Warranty?") == ["warranti"]


def test_titles_and_headings_cover_terms_too() -> None:
    titled = replace(passage("Three years."), title="Compressor", heading=("Warranty", "Length"))
    features = evidence_features("compressor warranty", [titled], 10)
    assert features["coverage_one"] == 1
    assert features["missing"] == 0


def test_only_the_best_passages_count() -> None:
    many = [passage("Nothing here.", dense=0.3)] * 8
    assert evidence_features(QUERY, [*many, ANSWER], 50) == evidence_features(QUERY, many, 50)
