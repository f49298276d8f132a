from __future__ import annotations

import re

import pytest

from tools.extraction.readers.misread import misreadable


@pytest.mark.parametrize("read", ["governed", "g0verncd", "govemed", "GOVERNED", "qoverned"])
def test_a_word_is_found_as_it_is_misread(read: str) -> None:
    assert re.fullmatch(misreadable("governed"), read, re.IGNORECASE)


@pytest.mark.parametrize("read", ["covered", "gowned", "governs"])
def test_other_words_are_not(read: str) -> None:
    assert not re.fullmatch(misreadable("governed"), read, re.IGNORECASE)


def test_classes_groups_and_escapes_stay_as_they_are() -> None:
    pattern = misreadable(r"(?P<office>\w+)\s[a-f]{2}(?<!fe)(?:s|t)")
    match = re.fullmatch(pattern, "town ab5", re.IGNORECASE)
    assert match
    assert match["office"] == "town"
