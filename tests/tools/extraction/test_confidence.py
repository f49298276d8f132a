from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.extraction.confidence import confidence_of, curve, score_of


def test_the_curve_rises_from_nothing() -> None:
    scores, confidences = curve()
    assert (scores[0], confidences[0], scores[-1]) == (0, 0, 1)
    assert all(a < b for line in (scores, confidences) for a, b in pairwise(line))
    assert confidences[-1] <= 1


@given(st.floats(0, 1))
def test_a_confidence_leads_back_to_its_score(score: float) -> None:
    assert score_of(confidence_of(score)) == pytest.approx(score, abs=1e-6)
