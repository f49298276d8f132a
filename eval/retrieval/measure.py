"""Recall, MRR and nDCG of ranked passages, with intervals over questions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.statistics import bootstrap

DEPTH = 10
MEASURES = ("recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10")


@dataclass(frozen=True)
class Ranking:
    """What a question got: which of the first passages answer it, and how many chunks do in all."""

    relevant: Sequence[bool]
    existing: int


def measure(rankings: Sequence[Ranking]) -> dict[str, dict[str, float]]:
    """Each measure with its 95% interval over questions.

    `recall@k` is the share of questions with an answering passage among the first k. `mrr@10` is the mean of one over
    its rank. `ndcg@10` (Järvelin and Kekäläinen, 2002) counts every answering passage, discounted by its rank.
    """
    groups = [str(number) for number in range(len(rankings))]
    values = per_question(rankings)
    return {name: bootstrap(lambda rows, name=name: float(values[name][rows].mean()), groups) for name in MEASURES}


def gains(rankings: Sequence[Ranking], base: Sequence[Ranking]) -> dict[str, dict[str, float]]:
    """What `rankings` bring over `base` in nDCG@10, with 95% intervals over the questions, which are the same.

    `relative` is a share of the base's, 0 where that is 0; `difference` is in nDCG.
    """
    ours, theirs = (per_question(one)["ndcg@10"] for one in (rankings, base))
    groups = [str(number) for number in range(len(ours))]
    return {
        "relative": bootstrap(
            lambda rows: float(ours[rows].mean() / theirs[rows].mean() - 1) if theirs[rows].any() else 0.0, groups
        ),
        "difference": bootstrap(lambda rows: float((ours[rows] - theirs[rows]).mean()), groups),
    }


def per_question(rankings: Sequence[Ranking]) -> Mapping[str, NDArray[np.float64]]:
    """Each measure of each question."""
    found = [_of_one(ranking) for ranking in rankings]
    return {name: np.array([one[name] for one in found]) for name in MEASURES}


def _of_one(ranking: Ranking) -> dict[str, float]:
    ranks = [rank for rank, hit in enumerate(ranking.relevant[:DEPTH], start=1) if hit]
    first = ranks[0] if ranks else math.inf
    ideal = sum(_discount(rank) for rank in range(1, min(ranking.existing, DEPTH) + 1))
    return {
        "recall@1": float(first <= 1),
        "recall@5": float(first <= 5),
        "recall@10": float(first <= 10),
        "mrr@10": 1 / first,
        "ndcg@10": sum(map(_discount, ranks)) / ideal if ideal else 0.0,
    }


def _discount(rank: int) -> float:
    return 1 / math.log2(rank + 1)
