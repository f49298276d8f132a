"""Whether two scorers differ on the same rows: McNemar on decisions, paired bootstrap on metrics."""

from __future__ import annotations

import math

import numpy as np

from finetune.evaluation.metrics import RESAMPLES, Scored, bounds, measure


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
