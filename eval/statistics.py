"""Figures with their uncertainty: AUROC, and bootstrap intervals that resample whole groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 300
_SEED = 5


def auroc(labels: NDArray[np.int64] | NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """The chance that a positive scores above a negative; ties count half."""
    _, ranks, counts = np.unique(scores, return_inverse=True, return_counts=True)
    midranks = np.cumsum(counts) - (counts - 1) / 2
    positive = labels.astype(bool)
    wins = midranks[ranks][positive].sum() - positive.sum() * (positive.sum() + 1) / 2
    return round(float(wins / (positive.sum() * (~positive).sum())), 4)


def bootstrap(measure: Callable[[NDArray[np.int64]], float], groups: Sequence[str]) -> dict[str, float]:
    """`measure` of all rows, with its 95% interval over resampled groups; `measure` takes row numbers."""
    _, member_of = np.unique(np.array(groups), return_inverse=True)
    order = np.argsort(member_of, kind="stable")
    ends = np.cumsum(np.bincount(member_of))
    blocks: list[NDArray[np.int64]] = [order[start:end] for start, end in pairwise([0, *ends.tolist()])]
    rng = np.random.default_rng(_SEED)
    draws: list[float] = []
    for _ in range(_RESAMPLES):
        picked: list[int] = rng.integers(0, len(blocks), len(blocks)).tolist()
        draws.append(measure(np.concatenate([blocks[i] for i in picked])))
    low, high = np.quantile(draws, (0.025, 0.975))
    value = measure(np.arange(len(groups)))
    return {"value": round(value, 4), "low": round(float(low), 4), "high": round(float(high), 4)}
