"""Openings and clauses in the manner of real contracts, with names of our own."""

from __future__ import annotations

import pytest

from tests.tools.extraction.documents import CONTRACT
from tools.extraction.readers.agreements import effective_dates, parties
from tools.extraction.readers.source import Reader, Source
from tools.extraction.readers.terms import terms

OPENINGS = [
    (
        'THIS DISTRIBUTOR AGREEMENT is made as of this 29th day of January, 1999, between\nBORGHOLM EQUIPMENT CO. '
        '("Borgholm"), with offices at 4100 Elm Avenue, Newport, Virginia 23607, and EASTERN TRACTION COMPANY\n'
        '("Distributor"), with offices at:\n\n1333 Atlantic Street\nUnion City, CA 94587\n\n1. APPOINTMENT\n',
        ["BORGHOLM EQUIPMENT CO.", "EASTERN TRACTION COMPANY"],
        "1999-01-29",
    ),
    (
        "CONSTRUCTION AGREEMENT\n\nBetween\n\nDANTREE CORPORATION\n\nOwner,\n\nTHE HALVORSEN CORPORATION\n\n"
        "THIS AGREEMENT, made as of the 4th day of November, 2005, by and between DANTREE CORPORATION, having an\n"
        "office at 3005 First Avenue, Seattle, Washington, 98121 (“Owner”), and THE HALVORSEN CORPORATION, having an "
        "office at 575 Route 28, Raritan, New Jersey, 08869 (“Contractor”).\n\nW I T N E S S E T H :\n\nWHEREAS, Owner "
        "intends to develop a facility at 220 Hanover Avenue (the “Project”) with Perkins & Hill (the “Architect”);",
        ["DANTREE CORPORATION", "THE HALVORSEN CORPORATION"],
        "2005-11-04",
    ),
    (
        'This Strategic Alliance Agreement ("Agreement") is made and entered into as of November 6, 2016 (the '
        '"Effective Date") by and between Giggling Oaks, Inc., a Nevada corporation ("GOI"), and Kiddomatic, LLC, a '
        "California limited liability company, on behalf of itself and its affiliates (together \"Kiddomatic\").",
        ["Giggling Oaks, Inc.", "Kiddomatic, LLC"],
        "2016-11-06",
    ),
    (
        "THIS ENDORSEMENT AGREEMENT (the \"Agreement\") is effective as of the 1st day of January, 2006 between Callum "
        'Golf Company ("Company"), a corporation with offices in Carlsbad, and Peter Vance Hale ("Player").',
        ["Callum Golf Company", "Peter Vance Hale"],
        "2006-01-01",
    ),
    (
        "PARTIES\n\n(1) NORTHGATE FOODS LIMITED, a company incorporated in England (registered number 1234567) whose "
        'registered office is at 2 Quay Road, Hull (the "Supplier"); and\n\n(2) LARK STORES PLC, whose registered '
        'office is at 9 High Street, Leeds (the "Customer").\n\nBACKGROUND\n',
        ["NORTHGATE FOODS LIMITED", "LARK STORES PLC"],
        None,
    ),
    (
        "E-SETTLE, INC., with its principal place of business at 1730 South Boulevard, San Mateo, California 94402 "
        '("E-Settle") and 2THEMALL.COM, INC. having its principal place of business at 18301 Karman Avenue, Irvine, '
        'California 92612 ("2TheMall") agree, as of June 21, 1999, as follows.',
        ["E-SETTLE, INC.", "2THEMALL.COM, INC."],
        "1999-06-21",
    ),
    (
        "This Consulting Agreement is entered into by and between Smith and Sons Holdings Ltd. and Maria Oliveira. The "
        "Agreement binds both.",
        ["Smith and Sons Holdings Ltd.", "Maria Oliveira"],
        None,
    ),
    (
        "LEASE dated 3 May 2019 among Aspen Hill LLC, a Delaware limited liability company, Birch Run LLC, a Texas "
        'limited liability company (each a "Landlord"), and Cedar Point Coffee, Inc., an Ohio corporation ("Tenant").',
        ["Birch Run LLC", "Cedar Point Coffee, Inc."],
        "2019-05-03",
    ),
]  # fmt: skip


def best(reader: Reader, text: str) -> object:
    found = Source(text).read(reader)
    return max(found, key=lambda one: one.cue).value if found else None


@pytest.mark.parametrize(("text", "names", "day"), OPENINGS)
def test_who_makes_an_agreement_and_from_when(text: str, names: list[str], day: str | None) -> None:
    found = [str(party.name.value) for party in parties(Source(text))]
    assert [name for name in found if name in names] == names
    assert len(found) <= 3
    assert best(effective_dates, text) == day


def test_roles_are_what_brackets_call_the_parties() -> None:
    found = parties(Source(CONTRACT))
    assert [(one.name.value, one.role and one.role.value) for one in found] == [
        ("Harbour Lane Analytics Ltd", "Supplier"),
        ("Norfield Payments GmbH", "Client"),
    ]


def test_signing_names_stand_in_for_a_missing_opening() -> None:
    text = "The parties agree.\n\nFor and on behalf of\nAcme Foods Ltd\n\nFor and on behalf of\nBorg Steel AB\n"
    assert [one.name.value for one in parties(Source(text))] == ["Acme Foods Ltd", "Borg Steel AB"]


@pytest.mark.parametrize(
    ("clause", "day"),
    [
        ("This Agreement takes effect on 1 December 2025, whatever the day of its signature.", "2025-12-01"),
        ("It was signed on 3 May 2020 and shall commence on 1 June 2020.", "2020-06-01"),
        ("The services start on 4 July 2021 (the “Commencement Date”).", "2021-07-04"),
        ("This Agreement expires on 31 December 2030.", None),
        ("Signed on 8 August 2020 by the directors.", None),
        ("It replaces the contract of 9 May 2011.", None),
    ],
)
def test_effective_dates_are_told_from_others(clause: str, day: str | None) -> None:
    opening = "The parties agree as follows.\n\n1. Scope. The parties work together.\n\n" + "Words. " * 300
    assert best(effective_dates, f"{opening}\n\n7. {clause}") == day


@pytest.mark.parametrize(
    ("clause", "term"),
    [
        ("The initial term of this Agreement shall be three (3) years from the Effective Date.", "3 years"),
        ("This Agreement shall remain in full force and effect for a period of ten (10) years.", "10 years"),
        ("Unless earlier terminated, this Agreement shall expire five years after the Effective Date.", "5 years"),
        ("Term. Twenty-four (24) months, beginning on the Effective Date.", "24 months"),
        ("This Agreement is for a five-year term.", "5 years"),
        ("The term hereof shall be 18 months, and shall thereafter renew for periods of one (1) year.", "18 months"),
        ("Either party may terminate this Agreement upon sixty (60) days' notice.", None),
        ("The parties keep it confidential for a period of five (5) years.", None),
        ("This Agreement shall automatically renew for successive terms of two (2) years.", None),
        ("The warranty period is twelve (12) months.", None),
        ("Invoices are payable within thirty (30) days under this Agreement.", None),
    ],
)
def test_terms_are_told_from_other_durations(clause: str, term: str | None) -> None:
    assert best(terms, clause) == term
