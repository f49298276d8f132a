from __future__ import annotations

import pytest

from tools.extraction.readers.sellers import sellers
from tools.extraction.readers.source import Source


def best(text: str) -> object:
    found = sellers(Source(text))
    return max(found, key=lambda one: one.cue).value if found else None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Thank you for your order with Acme Ltd.", "Acme Ltd."),
        ("Vielen Dank für Ihren Einkauf bei Elm & Ash", "Elm & Ash"),
        ("Elm & Ash thanks you for your visit", "Elm & Ash"),
        ("Supplied by Elm & Ash\nTea 2.00\n", "Elm & Ash"),
        ("Operator: Elm Foods GmbH\nTea 2.00\n", "Elm Foods GmbH"),
        ("Welcome to The Lantern\nTea 2.00\n", "The Lantern"),
    ],
)
def test_who_a_sentence_says_sold_it(text: str, name: str) -> None:
    assert best(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "Served by Anna Berg\n",
        "Welcome to our shop\n",
        "Customer: Acme Ltd\n",
        "99 SPEED MART S/B\n",
        "TASTE OF THE WORLD\n",
    ],
)
def test_others_did_not(text: str) -> None:
    assert sellers(Source(text)) == []


def test_initials_do_not_slow_it_down() -> None:
    assert sellers(Source("A. " * 20_000)) == []
