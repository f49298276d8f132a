from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from finetune.data.duplicates import find_duplicates

LONG = "The client bought a train ticket and a cup of coffee at the station before the early train to the coast left"


def test_exact_repeats_are_found_up_to_case_and_punctuation() -> None:
    found = find_duplicates(["Paid 5 EUR.", "other words here", "paid 5 eur"])
    assert [(duplicate.index, duplicate.original, duplicate.exact) for duplicate in found] == [(2, 0, True)]


def test_near_repeats_are_found_and_different_numbers_are_not_repeats() -> None:
    texts = [f"{LONG} at 7", f"{LONG} at 8", f"{LONG} quickly at 7"]
    assert [(d.index, d.original, d.exact) for d in find_duplicates(texts)] == [(2, 0, False)]


def test_known_texts_count_as_earlier_ones() -> None:
    found = find_duplicates(["fresh text", LONG], known=["something else", LONG])
    assert [(duplicate.index, duplicate.original) for duplicate in found] == [(1, -2)]


@given(st.lists(st.text(alphabet="ab c", max_size=12), max_size=30))
def test_what_is_left_holds_no_exact_repeat(texts: list[str]) -> None:
    repeats = {duplicate.index for duplicate in find_duplicates(texts)}
    left = [" ".join(text.split()) for at, text in enumerate(texts) if at not in repeats]
    assert len(left) == len(set(left))
