from __future__ import annotations

import pytest

from tools.extraction.proposals import propose
from tools.extraction.readers.source import Source
from tools.extraction.readers.totals import settlements, sums
from tools.extraction.schemas import resolve_schema


def total(text: str) -> object:
    leaf = resolve_schema("receipt").root.members["total"]
    return propose(leaf, Source(text))[0].candidate.value  # pyright: ignore[reportArgumentType]


def test_payment_less_change_settles_a_total() -> None:
    source = Source("A 4.00\nB 5.50\nRounding\nTotal\nCash\nChange\n0.00\n9.50\n20.00\n10.50")
    assert [one.value for one in settlements(source)] == [9.5]


def test_net_and_tax_add_up() -> None:
    found = sums(Source("Net 100.00\nVAT 20% 20.00\nTotal 120.00\nTip 3.00"))
    assert found.gross == {120.0}
    assert found.parts == {100.0, 20.0}


def test_nothing_is_summed_where_no_tax_is_spoken_of() -> None:
    assert sums(Source("Tea 10.00\nPie 1.00\nTotal 11.00")).gross == frozenset()


def test_what_is_promised_for_another_time_is_no_total() -> None:
    leaf = resolve_schema("receipt").root.members["total"]
    text = "SHOP\nTEA 9.50\nPayment by Visa\nNext time 755.15 EUR less, before 1 May 2026\n"
    assert 755.15 not in [one.candidate.value for one in propose(leaf, Source(text))]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("SHOP\nTEA 57.50\nTOTAL:\n57.50\nGST 6% 3.45\nTOTAL SALES (INCLUSIVE GST)\n60.95\n", 60.95),
        ("SHOP\nTEA 45.34\nTOTAL 45.34\nROUNDING 0.01\nTO PAY 45.35\n", 45.35),
        ("SHOP\nTEA 9.50\nTOTAL 9.50\nCASH 10.00\nCHANGE 0.50\n", 9.5),
        ("SHOP\nTEA 20.00\nSUBTOTAL 20.00\nVAT 4.00\nGRAND TOTAL 24.00\n", 24.0),
        ("SHOP\nQTY  ITEM  TOTAL\n1  Tea  2.00\n1  Pie  3.00\nTotal 5.00\n", 5.0),
    ],
)
def test_the_total_is_what_is_paid(text: str, amount: float) -> None:
    assert total(text) == amount
