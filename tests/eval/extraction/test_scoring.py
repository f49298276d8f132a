from __future__ import annotations

import pytest

from eval.extraction.scoring import Counts, count, f1, made_up_rate, precision, recall, same, word_f1


@pytest.mark.parametrize(
    ("path", "gold", "found", "right"),
    [
        ("total", 12.5, 12.5, True),
        ("total", 12.5, 12.51, False),
        ("total", 12.5, "12.50", False),
        ("company", "Acme Foods, Ltd", "ACME FOODS LTD.", True),
        ("company", "Acme Foods Ltd", "Acme Food Ltd", False),
        ("effective_date", "2026-03-04", "2026-03-04", True),
        ("governing_law", "the State of New York", "New York", True),
        ("governing_law", "the Netherlands", "Netherlands", True),
        ("governing_law", "New York", "New Jersey", False),
        ("address", "12 Hill Road, 81100 Johor", "12 HILL ROAD 81100 JOHOR BAHRU", True),
        ("address", "12 Hill Road, 81100 Johor", "12 Hill Road", False),
        ("reason", "I never received the goods.", "I never received the goods that I ordered.", True),
    ],
)
def test_when_a_value_is_right(path: str, gold: str | float, found: str | float, right: bool) -> None:
    assert same(path, gold, found) is right


def test_counts_of_a_field() -> None:
    assert count("total", 5.0, 5.0) == Counts(right=1)
    assert count("total", 5.0, 6.0) == Counts(wrong=1, missed=1)
    assert count("total", 5.0, None) == Counts(missed=1)
    assert count("total", None, 6.0) == Counts(wrong=1, absent=1, made_up=1)
    assert count("total", None, None) == Counts(absent=1)


def test_cells_of_a_column_are_paired_off() -> None:
    assert count("line_items[].amount", (2.0, 2.0, 3.0), (2.0, 3.0, 4.0)) == Counts(right=2, wrong=1, missed=1)


def test_figures() -> None:
    counts = Counts(right=3, wrong=1, missed=2, absent=4, made_up=1)
    assert precision(counts) == 0.75
    assert recall(counts) == 0.6
    assert f1(counts) == pytest.approx(2 / 3)
    assert made_up_rate(counts) == 0.25
    assert (precision(Counts()), recall(Counts()), made_up_rate(Counts()), f1(Counts())) == (None, None, None, 1.0)


def test_word_f1_counts_words_twice_only_where_both_have_them_twice() -> None:
    assert word_f1("a a b", "a b") == pytest.approx(0.8)
    assert word_f1("a", "b") == 0.0
