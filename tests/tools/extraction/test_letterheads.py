from __future__ import annotations

import pytest

from tools.extraction.readers.letterheads import letterhead
from tools.extraction.readers.source import Source


def best(text: str) -> object:
    found = Source(text).read(letterhead)
    return max(found, key=lambda one: one.cue).value if found else None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("HOME & GARDEN\nSUPPLIES LTD\n12 Hill Road", "HOME & GARDEN SUPPLIES LTD"),
        ("OLD MILL BOOK\nCO. LTD\n12 Hill Road", "OLD MILL BOOK CO. LTD"),
        ("LITTLE BAKERY (KL) SDN BHD (139386 X)\nLot 3, Jalan 23/1", "LITTLE BAKERY (KL) SDN BHD"),
        ("000002 NORTHERN (M) SDN BHD\n12 Hill Road", "NORTHERN (M) SDN BHD"),
        ("THE BLUE DOOR\nOWNED BY: BLUE HARBOUR SDN BHD\n", "BLUE HARBOUR SDN BHD"),
        ("INVOICE                 Harbour Analytics\n                        4 Quay Road\n", "Harbour Analytics"),
        ("FIVE STARS CASH & CARRY\nPOS 3\n", "FIVE STARS CASH & CARRY"),
        ("FIVE STARS CASH & CARRY\n4 Elm Road\nTea 2.00\nPAID IN DEBIT CARD\n", "FIVE STARS CASH & CARRY"),
        ("Stati0n: Five Stars Cash & Carry\nTea 2.00\n", "Five Stars Cash & Carry"),
        ("NORTHERN FOODS BERHAD {139386 X\nLot 3, Jalan 23/1", "NORTHERN FOODS BERHAD"),
        ("NORTHERN FOODS SDN BHD\n(PUCHONG)\nLot 3, Jalan 23/1", "NORTHERN FOODS SDN BHD (PUCHONG)"),
        ("NORTHERN FOODS SDN BHD\n(FORMERLY ELM FOODS)\nLot 3", "NORTHERN FOODS SDN BHD"),
        ("RESTORAN\nSERI ELM\nLot 3, Jalan 23/1", "RESTORAN SERI ELM"),
        ("ELM HARBOUR\n(ELM SHOP (12345))\nLot 3, Jalan 23/1", "ELM HARBOUR"),
        ("VEGETABLES OF THE BORDER\n4 Elm Road\n", "VEGETABLES OF THE BORDER"),
        ("Issued on 6-Nov-25\n\nBill to: 12\n", None),
        ("12 Hill Road\n81100 Johor\n", None),
        ("Espresso\n961163971\n1\nX\n4.20\n", None),
        ("We charge you as follows:\n", None),
        ("Open daily 9-21\n", None),
    ],
)
def test_the_name_at_the_top(text: str, name: str | None) -> None:
    assert best(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hi Ana!\n\nThank you for your order with Red Barn Outlet.\nTea 2.00\n", "Red Barn Outlet"),
        ("Counterfoil 12\nTea 2.00\nRun by Elm Foods Ltd\n4 Elm Road\n", "Elm Foods Ltd"),
        ("MERCHANT SLIP\nAID A0004  SEQ 12\nRED BARN KIOSK\nPURCHASE   PIN VERIFIED\n", "RED BARN KIOSK"),
        ("Elm Foods Ltd, 4 Elm Road\nInvoice 12\n", "Elm Foods Ltd"),
        ("Our shop: 4 Elm Road, Leeds\nTea 2.00\n", None),
    ],
)
def test_names_in_sentences_and_beside_other_words(text: str, name: str | None) -> None:
    assert best(text) == name
