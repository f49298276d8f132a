from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tools.extraction.grounding import locate

TEXT = "Invoice of Brightwater  Components\nB.V., Keizersgracht 44. Café “Zur Post”. Total 1234.50 and 234.50."


def test_exact_wording_is_found_first() -> None:
    found = locate(TEXT, "Keizersgracht 44")
    assert found is not None
    assert (found.quote, TEXT[found.start : found.end]) == ("Keizersgracht 44", "Keizersgracht 44")


def test_case_white_space_and_typography_do_not_matter() -> None:
    for value in ("BRIGHTWATER COMPONENTS B.V.", 'Café "Zur Post"', "brightwater components b.v."):
        found = locate(TEXT, value)
        assert found is not None
        assert TEXT[found.start : found.end] == found.quote


def test_small_errors_are_tolerated_but_no_other_digits() -> None:
    found = locate(TEXT, "Brightwater Componnents B.V., Keizersgracht 44")
    assert found is not None
    assert found.quote.startswith("Brightwater")
    assert locate(TEXT, "Keizersgracht 45") is None
    assert locate(TEXT, "Completely Different Ltd") is None


def test_a_value_inside_a_longer_number_or_word_is_not_there() -> None:
    found = locate(TEXT, "234.50")
    assert found is not None
    assert found.start == TEXT.index(" 234.50") + 1
    assert locate("total 1234.50", "234.50") is None
    assert locate("Harbourside", "Harbour") is None


def test_nothing_is_not_located() -> None:
    assert locate(TEXT, "  ") is None
    assert locate("", "x") is None


@given(st.text(max_size=200), st.text(max_size=40))
def test_quotes_are_spans_of_the_text(text: str, value: str) -> None:
    found = locate(text, value)
    assert found is None or text[found.start : found.end] == found.quote
