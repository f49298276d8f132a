"""Recall, MRR and nDCG, against values worked out by hand."""

from __future__ import annotations

import math

import pytest

from eval.retrieval.measure import Ranking, gains, measure, per_question


def values(relevant: list[bool], existing: int) -> dict[str, float]:
    return {name: float(found[0]) for name, found in per_question([Ranking(relevant, existing)]).items()}


def test_the_first_place() -> None:
    assert values([True, False], 1) == {"recall@1": 1, "recall@5": 1, "recall@10": 1, "mrr@10": 1, "ndcg@10": 1}


def test_a_later_place() -> None:
    found = values([False, False, True], 1)
    assert (found["recall@1"], found["recall@5"]) == (0, 1)
    assert found["mrr@10"] == pytest.approx(1 / 3)
    assert found["ndcg@10"] == pytest.approx(1 / math.log2(4))


def test_several_answering_passages() -> None:
    found = values([True, False, True], 3)
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert found["ndcg@10"] == pytest.approx((1 + 1 / math.log2(4)) / ideal)


def test_nothing_found_and_nothing_to_find() -> None:
    assert set(values([False] * 10, 1).values()) == set(values([], 0).values()) == {0}


def test_passages_after_the_tenth_count_for_nothing() -> None:
    assert values([False] * 10 + [True], 1) == values([False] * 10, 1)


def test_means_with_intervals() -> None:
    found = measure([Ranking([True], 1)] * 30 + [Ranking([False], 1)] * 10)
    assert found["recall@1"]["value"] == 0.75
    assert 0.5 < found["recall@1"]["low"] < 0.75 < found["recall@1"]["high"] < 0.95


def test_gains_are_paired() -> None:
    first, third = Ranking([True], 1), Ranking([False, False, True], 1)
    found = gains([first] * 20, [third] * 10 + [first] * 10)
    assert found["difference"]["value"] == pytest.approx(0.25)
    assert found["relative"]["value"] == pytest.approx(1 / 0.75 - 1, abs=1e-4)
    assert 0 < found["difference"]["low"] < 0.25 < found["difference"]["high"] < 0.5
    assert gains([first], [Ranking([], 1)])["relative"]["value"] == 0
