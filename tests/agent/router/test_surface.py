from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.router.surface import SURFACE_FEATURES, surface_features, view


def feature(text: str, name: str) -> float:
    return float(surface_features(text)[SURFACE_FEATURES.index(name)])


@given(st.text(max_size=400))
def test_features_are_bounded_for_any_text(text: str) -> None:
    values = surface_features(text)
    assert values.shape == (len(SURFACE_FEATURES),)
    assert np.isfinite(values).all()
    assert values.min() >= 0
    assert values.max() <= 2.5


def test_short_texts_are_seen_whole_and_long_ones_at_both_ends() -> None:
    assert view("  how long?  ") == "how long?"
    seen = view("Extract the total. " + "x " * 5000 + "Thank you, Ada")
    assert seen.startswith("Extract the total.")
    assert seen.endswith("Thank you, Ada")
    assert len(seen) < 500


def test_money_dates_and_questions_are_seen() -> None:
    assert feature("paid 20 EUR and $5", "money") == 0.5
    assert feature("on 2024-03-01", "date") == 1
    assert feature("at 23:10", "clock") == 1
    assert feature("What is a chargeback", "question_start") == 1
    assert feature("Whatever", "question_start") == 0
    assert feature("a: 1\nb: 2", "key_values") > feature("a: 1", "key_values") > 0


def test_an_instruction_counts_at_the_ends_only() -> None:
    filler = "the weather was fine and nothing happened " * 10
    assert feature("Extract the names. " + filler, "extract_words") > 0
    assert feature(filler + "Extract the names. " + filler, "extract_words") == 0


def test_a_megabyte_is_measured_quickly() -> None:
    assert np.isfinite(surface_features("12.50 EUR: x\n" * 80_000)).all()
