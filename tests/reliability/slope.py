"""A straight line through a series of measurements, with an interval that knows that neighbours are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST = 4
"""Measurements that a slope with an interval takes at least."""
_Z95 = 1.96


@dataclass(frozen=True)
class Slope:
    """Change per unit of time by least squares, with its 95% interval."""

    value: float
    low: float
    high: float


def slope(times: Sequence[float], values: Sequence[float]) -> Slope:
    """The slope of `values` over `times`.

    The interval is that of Newey and West (1987), with the lag 4 (n/100)^(2/9): samples of a process that goes on
    depend on those before, which makes the usual interval too narrow.

    Raises:
        ValueError: fewer than `FEWEST` measurements, or all at one time.
    """
    if len(times) < FEWEST:
        raise ValueError(f"a slope with an interval takes at least {FEWEST} measurements")
    x = np.asarray(times, dtype=float)
    x -= x.mean()
    spread = float(x @ x)
    if spread == 0:
        raise ValueError("all measurements are of one time")
    y = np.asarray(values, dtype=float)
    value = float(x @ y) / spread
    scores = x * (y - y.mean() - value * x)
    lag = min(len(x) - 1, int(4 * (len(x) / 100) ** (2 / 9)))
    variance = float(scores @ scores)
    for distance in range(1, lag + 1):
        weight = 1 - distance / (lag + 1)
        variance += 2 * weight * float(scores[distance:] @ scores[:-distance])
    error = _Z95 * (max(variance, 0.0) * len(x) / (len(x) - 2)) ** 0.5 / spread
    return Slope(value, value - error, value + error)
