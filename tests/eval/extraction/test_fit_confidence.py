from __future__ import annotations

from itertools import pairwise

import numpy as np

from eval.extraction.fit_confidence import fit


def test_the_fitted_curve_follows_the_share_that_is_right() -> None:
    rng = np.random.default_rng(1)
    scores = rng.uniform(0.3, 1.0, 4000)
    right = (rng.uniform(size=4000) < scores**2).astype(float)
    points = fit([(scores, right)])
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(points))
    assert abs(dict(map(tuple, points))[0.8] - 0.64) < 0.06
