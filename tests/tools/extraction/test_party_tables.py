from __future__ import annotations

import pytest

from tools.extraction.readers.agreements import parties
from tools.extraction.readers.source import Source

EXPECTED = [("Fern Lines Ltd", "Carrier"), ("Alder, S.L.", "Shipper")]


def read(text: str) -> list[tuple[str, str | None]]:
    return [(str(one.name.value), None if one.role is None else str(one.role.value)) for one in parties(Source(text))]


@pytest.mark.parametrize(
    "text",
    [
        "CHARTER AGREEMENT\n\nThe Carrier: Fern Lines Ltd of Bristol\nThe Shipper: Alder, S.L. of Cadiz\n",
        'Charter Agreement\n\nParty 1: Fern Lines Ltd ("Carrier")\nParty 2: Alder, S.L. ("Shipper")\n',
        "Charter\n\n| Role | Company |\n| --- | --- |\n| Carrier | Fern Lines Ltd |\n| Shipper | Alder, S.L. |\n",
        "Charter\n\nCarrier                          Shipper\nFern Lines Ltd           Alder, S.L.\n",
        'Charter\n\nFern Lines Ltd           Alder, S.L.\nBristol   Cadiz\n("Carrier")   ("Shipper")\n',
        'Charter\n\nFern Lines Ltd\nAlder, S.L.\nBristol\nCadiz\n("Carrier")\n("Shipper")\n',
        "Charter\n\nCarrier\nFern Lines Ltd\nShipper\nAlder, S.L.\n",
    ],
    ids=["labels", "brackets", "table", "headings", "columns", "stacked columns", "stacked labels"],
)
def test_parties_in_tables_and_columns(text: str) -> None:
    assert read(text) == EXPECTED


@pytest.mark.parametrize(
    "text",
    [
        "TENANCY\n\nLandlord:        Rowan Hill\nTenant:          Mrs Bea Lund\nRent:            Monthly Sum\n",
        "TENANCY\n\nThe Landlord: Rowan Hill\nThe Tenant: Mrs Bea Lund\nStart: May Day\n",
    ],
)
def test_people_are_parties_beside_the_name_of_a_role(text: str) -> None:
    assert read(text) == [("Rowan Hill", "Landlord"), ("Mrs Bea Lund", "Tenant")]


@pytest.mark.parametrize(
    "text",
    [
        'CHARTER\n\nWe, Fern Lines Ltd (the "Carrier"), offer you, Alder, S.L. (the "Shipper"), this.',
        'CHARTER\n\nBETWEEN:\n\nFern Lines Ltd\nof Bristol\n("Carrier")\n\nAND:\n\nAlder, S.L.\nof Cadiz\n("Shipper")',
        'Between\n\nFern Lines Ltd (no. 12345), as the "Carrier",\n\nand\n\nAlder, S.L., as the "Shipper",\n\nagree.',
        'Parties\n\n1. Fern Lines Ltd, of Bristol, referred to as "Carrier",\n\n2. Alder, S.L., below "Shipper".',
    ],
)
def test_parties_in_blocks_and_with_roles_without_brackets(text: str) -> None:
    assert read(text) == EXPECTED


def test_words_of_a_sentence_in_capitals_are_no_name() -> None:
    text = 'DEED\n\nTHIS DEED IS MADE BY FERN LINES LTD ("CARRIER"), WITH ALDER S.L. ("SHIPPER").'
    assert read(text) == [("FERN LINES LTD", "CARRIER"), ("ALDER S.L.", "SHIPPER")]


def test_labels_of_other_things_are_no_parties() -> None:
    text = "Invoice\n\nAddress: Fern Lines Ltd\nNotice to: Alder, S.L.\n"
    assert all(role is None for _, role in read(text))
