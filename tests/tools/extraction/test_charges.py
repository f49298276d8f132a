from __future__ import annotations

from tools.extraction.readers.charges import charge_amounts, charge_dates
from tools.extraction.readers.source import Source

LETTER = """\
I wrote to you on 2 May 2026 without an answer. On 28 April 2026 Corner Shop
charged me 46.20 EUR. My credit limit is 1,500.00 EUR.
"""


def test_the_payment_is_told_from_other_dates_and_amounts() -> None:
    source = Source(LETTER)
    assert [one.value for one in source.read(charge_dates)] == ["2026-04-28"]
    assert [one.value for one in source.read(charge_amounts)] == [46.2]


def test_a_letter_without_a_payment_has_none() -> None:
    source = Source("I have been your customer since 3 May 2011. My balance is 20.00 EUR.")
    assert source.read(charge_dates) == source.read(charge_amounts) == []
