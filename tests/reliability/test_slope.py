"""The slope of a series and how sure it is."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reliability.slope import slope


def test_a_straight_line_has_its_slope_and_no_doubt() -> None:
    found = slope([0, 1, 2, 3, 4], [5, 7, 9, 11, 13])
    assert (found.value, found.low, found.high) == pytest.approx((2, 2, 2))


def test_the_interval_holds_the_true_slope_of_noisy_series() -> None:
    rng = np.random.default_rng(0)
    times = np.arange(100) / 10
    held = 0
    for _ in range(200):
        found = slope(times.tolist(), (0.5 * times + rng.normal(0, 1, 100)).tolist())
        held += found.low <= 0.5 <= found.high
    assert 0.88 < held / 200 < 0.99


def test_neighbours_that_are_alike_make_the_interval_wider() -> None:
    rng = np.random.default_rng(0)
    times = (np.arange(200) / 10).tolist()
    noise = rng.normal(0, 1, 200)
    walk = np.convolve(noise, np.ones(5) / 5**0.5, mode="same")
    alone, alike = slope(times, noise.tolist()), slope(times, walk.tolist())
    assert alike.high - alike.low > 1.4 * (alone.high - alone.low)


@pytest.mark.parametrize("times", [[0, 1, 2], [1, 1, 1, 1]])
def test_too_little_for_a_slope(times: list[float]) -> None:
    with pytest.raises(ValueError, match="measurements"):
        slope(times, [1.0] * len(times))
