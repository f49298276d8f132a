from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.knowledge.unicode import join_hyphenated, repair, vocabulary


@pytest.mark.parametrize(
    ("raw", "repaired"),
    [
        ("\ufb01nal o\ufb00er", "final offer"),
        ("5\u00a0000\u202f€", "5 000 €"),
        ("ze\u200bro\ufeff w\u2060idth", "zero width"),
        ("soft\u00adhyphen", "softhyphen"),
        ("line\u00ad\nend", "lineend"),
        ("Mu\u0308ller", "Müller"),
        ("nul\x00 bell\x07 esc\x1b del\x7f", "nul bell esc del"),
        ("a\r\nb\rc\u2028d\x0be\ff", "a\nb\nc\nd\ne\nf"),
        ("lone \ud83d surrogate", "lone \ufffd surrogate"),
        ("evil\u202etxt\u2066", "eviltxt"),
        ("tag\U000e0041\U000e0042", "tag"),
        ("a  \n\n\n\n  b ", "a\n\n  b"),
        ("½ ² ™ stay", "½ ² ™ stay"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("pay\u200dment", "payment"),
    ],
)
def test_repair(raw: str, repaired: str) -> None:
    assert repair(raw) == repaired


@given(st.text(st.characters(exclude_categories=[])))
def test_repair_is_stable_and_clean(text: str) -> None:
    once = repair(text)
    assert repair(once) == once
    assert once == unicodedata.normalize("NFC", once)
    assert not any(character in once for character in "\0\r\f\u200b\u00ad\u00a0\ufeff")
    once.encode("utf-8")


@pytest.mark.parametrize("unit", [" ", "\n", "a", "\u200d", "\u00ad", "\u00ad ", " \n", "a-\n", "-"])
def test_hostile_text_takes_linear_time(unit: str) -> None:
    start = time.perf_counter()
    text = "\u0645" + unit * 100_000 + "\u0645"
    join_hyphenated(repair(text), vocabulary([text]))
    assert time.perf_counter() - start < 5


def test_join_hyphenated_uses_the_documents_own_words() -> None:
    text = "a charge-\nback, a time-\nlimit, fraudu-\nlent, self-\nservice, 2024-\n2026, Smith-\nJones, a dash -\nhere"
    words = vocabulary([text, "The chargeback and the time-limit."])
    assert join_hyphenated(text, words) == (
        "a chargeback, a time-limit, fraudulent, self-service, 2024-2026, Smith-Jones, a dash -\nhere"
    )
