"""Whether two scorers differ on the same rows: McNemar on decisions, paired bootstrap on metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from finetune.evaluation.metrics import RESAMPLES, Scored, bounds, measure

_DIGITS = 4


def mcnemar(one: Scored, other: Scored) -> float:
    """Two-sided exact p-value that both are right equally often (McNemar 1947); 1.0 where they never differ."""
    right, right_other = one.decided == one.truth, other.decided == other.truth
    wins, losses = int((right & ~right_other).sum()), int((right_other & ~right).sum())
    pairs = wins + losses
    if pairs == 0:
        return 1.0
    tail = sum(math.comb(pairs, k) for k in range(min(wins, losses) + 1)) / 2**pairs
    return min(1.0, 2 * tail)


def paired_differences(
    one: Scored, other: Scored, seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, tuple[float, list[float]]]:
    """For each metric that both have: one minus other, and its 95% bootstrap interval over the same resampled rows."""
    random = np.random.default_rng(seed)
    draws: dict[str, list[float]] = {}
    for _ in range(resamples):
        rows = random.integers(0, len(one.truth), len(one.truth))
        first, second = measure(one.take(rows)), measure(other.take(rows))
        for name in first:
            a, b = first[name], second[name]
            if a is not None and b is not None:
                draws.setdefault(name, []).append(a - b)
    first, second = measure(one), measure(other)
    return {
        name: (a - b, bounds(values))
        for name, values in draws.items()
        if (a := first[name]) is not None and (b := second[name]) is not None
    }


def against(one: Scored, other: Scored) -> dict[str, Any]:
    """How one stands against the other, as in reports: `mcnemar_p`, and `differences` (one minus other) by metric."""
    differences = {
        name: {"difference": round(value, _DIGITS), "interval": [round(bound, _DIGITS) for bound in interval]}
        for name, (value, interval) in paired_differences(one, other).items()
    }
    return {"mcnemar_p": mcnemar(one, other), "differences": differences}


def unpaired_differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Differences like `against`'s out of two scorers' metrics and 95% `intervals` alone, where no row is at hand.

    The two count as independent (Zou and Donner 2008). Scorers of the same rows mostly err on the same ones, so that
    the interval is wider than the paired one and decides less.
    """
    return {
        name: _recovered(one[name], one["intervals"][name], other[name], other["intervals"][name])
        for name in one["intervals"]
        if name in other["intervals"]
    }


def _recovered(a: float, around_a: list[float], b: float, around_b: list[float]) -> dict[str, Any]:
    low = a - b - math.hypot(a - around_a[0], around_b[1] - b)
    high = a - b + math.hypot(around_a[1] - a, b - around_b[0])
    return {"difference": round(a - b, _DIGITS), "interval": [round(low, _DIGITS), round(high, _DIGITS)]}
