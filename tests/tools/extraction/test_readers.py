from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.extraction.documents import CONTRACT, LETTER
from tools.extraction.proposals import READERS
from tools.extraction.readers import amounts, clauses, durations, identifiers, keywords, names, places, rows
from tools.extraction.readers.dates import dates, day_first, timestamps
from tools.extraction.readers.labels import labelled_text
from tools.extraction.readers.source import Reader, Source


def read(reader: Reader, text: str) -> list[object]:
    return [candidate.value for candidate in Source(text).read(reader)]


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2026-03-04", "2026-03-04"), ("04/03/2026", "2026-03-04"), ("4.3.26", "2026-03-04"), ("4 March 2026",
            "2026-03-04"),
        ("March 4th, 2026", "2026-03-04"), ("4th day of March, 2026", "2026-03-04"), ("04-MAR-26", "2026-03-04"),
        ("4. März 2026", "2026-03-04"),
        ("4 de marzo de 2026", "2026-03-04"), ("20260304", "2026-03-04"), ("04032026", "2026-03-04"), ("12/25/2026",
            "2026-12-25"),
    ],
)  # fmt: skip
def test_dates_are_read_in_many_notations(written: str, iso: str) -> None:
    assert read(dates, f"on {written} we met") == [iso]


@pytest.mark.parametrize("written", ["31/02/2026", "1.2.3", "192.168.10.12", "12345678901", "call 555-12-34567"])
def test_what_is_no_date_is_not_read_as_one(written: str) -> None:
    assert read(dates, f"see {written} there") == []


def test_a_company_of_a_form_that_many_countries_have_is_american_with_bare_dollars() -> None:
    assert not day_first("Fern LLC 06-01-17 $ 4.00")
    assert day_first("Fern LLC 06-01-17 4.00")
    assert day_first("Fern LLC 06-01-17 $ 4.00 CHF")


def test_a_month_may_stand_between_digits() -> None:
    assert read(dates, "PRINTED 07JUL2020 AT 14:02") == ["2020-07-07"]
    assert read(dates, "Guests: 5   May 19, 2017") == ["2017-05-19"]


def test_what_is_promised_for_another_time_says_no_currency() -> None:
    assert read(amounts.currencies, "Total 12.00\nNext time 2.00 EUR less") == []


def test_the_document_decides_between_day_and_month_first() -> None:
    assert day_first("from 03/04/2026 to 25/04/2026")
    assert not day_first("from 03/04/2026 to 04/25/2026")
    assert not day_first("Springfield, IL 62704, 03/04/2026, sales tax 7%")
    assert day_first("03/04/2026")


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("3 March 2026 at 02:14", "2026-03-03T02:14:00"), ("2026-03-03T02:14:09Z", "2026-03-03T02:14:09Z"),
        ("02:14 on 3 March 2026", "2026-03-03T02:14:00"),
        ("03/03/2026 2:14:05 PM", "2026-03-03T14:14:05"), ("2026-03-03", "2026-03-03"), ("2026-03-03 02:14 +01:00",
            "2026-03-03T02:14:00+01:00"),
    ],
)  # fmt: skip
def test_timestamps(written: str, iso: str) -> None:
    assert read(timestamps, written) == [iso]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("EUR 1.234,56", 1234.56), ("$1,234.56", 1234.56), ("RM20.40", 20.4), ("12,50 €", 12.5), ("1 234,50 EUR",
            1234.5), ("-RM 0.02", -0.02),
        ("250,000 dollars", 250000.0), ("CHF 1'250.00", 1250.0), ("GBP 7", 7.0),
    ],
)  # fmt: skip
def test_amounts(written: str, value: float) -> None:
    assert read(amounts.amounts, f"pay {written} now") == [value]


@pytest.mark.parametrize("written", ["6.00%", "INV-2026.55x", "order 12", "04/05/2026"])
def test_what_is_no_amount(written: str) -> None:
    assert read(amounts.amounts, f"see {written} there") == []


def test_a_dollar_sign_means_the_dollar_that_the_document_names() -> None:
    assert read(amounts.currencies, "Total $ 12.00") == ["USD"]
    assert read(amounts.currencies, "All prices in SGD. Total $ 12.00") == ["SGD", "SGD"]


def test_ibans_need_right_check_digits() -> None:
    assert read(identifiers.ibans, "IBAN: NL91 ABNA 0417 1643 00 BIC X") == ["NL91ABNA0417164300"]
    assert read(identifiers.ibans, "IBAN: NL92 ABNA 0417 1643 00") == []


def test_ibans_may_run_over_a_line_and_creditors_numbers_are_none() -> None:
    text = "Creditor ID DE98ZZZ09999999999\nReference RF18 5390 0754 7034\nIBAN: NL91 ABNA\n  0417 1643 00\nThanks"
    assert read(identifiers.ibans, text) == ["NL91ABNA0417164300"]
    assert read(identifiers.iban_like, "DE98ZZZ09999999999 RF18 5390 0754 7034") == []
    assert "RF18" not in read(identifiers.references, text)


@pytest.mark.parametrize(
    "written",
    ["card ending in 7731", "VISA **** 7731", "last four digits 7731", "xxxx-xxxx-xxxx-7731", "4929 1234 5678 7731"],
)
def test_last_four_digits_of_cards(written: str) -> None:
    found = read(identifiers.card_last4, f"my {written}, please")
    assert found == ["7731"] or (written[0].isdigit() and found == [])


@pytest.mark.parametrize(
    ("written", "value"),
    [("thirty (30) days", "30 days"), ("twenty-four (24) months", "24 months"), ("one year", "1 year"),
        ("5 business days", "5 business days"),
     ("two weeks", "2 weeks"), ("180-day", "180 days")],
)  # fmt: skip
def test_durations(written: str, value: str) -> None:
    assert read(durations.durations, f"for {written} after") == [value]


def test_clauses_of_a_contract() -> None:
    assert read(clauses.liability_caps, CONTRACT) == ["EUR 250,000"]
    assert read(clauses.notices, CONTRACT)[0] == "60 days"


def test_people_sign_letters_and_introduce_themselves() -> None:
    assert read(names.people, LETTER) == ["Maria Oliveira"]
    assert read(names.people, "My name is Jon Berg and I lost my card.") == ["Jon Berg"]


def test_merchants_stand_after_prepositions_of_payments() -> None:
    assert read(names.merchants, "a charge of 12 EUR at Skyline Gadgets on Monday") == ["Skyline Gadgets"]


def test_addresses_stand_in_a_column_or_behind_a_label() -> None:
    assert read(places.addresses, "9 Cedar Street, Pune 34567      12 May 2024\n\nTea") == [
        "9 Cedar Street, Pune 34567"
    ]
    assert read(places.addresses, "Our shop: 9 Cedar Street, Pune 34567\n") == ["9 Cedar Street, Pune 34567"]
    assert read(places.addresses, "Jasmine Court Optics, B.V.\n") == []


def test_addresses_span_lines_and_stop_at_the_telephone() -> None:
    text = "SHOP\n18 Mill Road,\nCambridge CB1 2AB\nTel 01223 555 019\n"
    assert read(places.addresses, text) == ["18 Mill Road, Cambridge CB1 2AB"]


def test_labelled_text_stands_beside_or_below() -> None:
    assert labelled_text(Source("Merchant: Acme Shop\n"), ("merchant",))[0].value == "Acme Shop"
    assert labelled_text(Source("Bill to:\nAcme Shop\n"), ("bill to",))[0].value == "Acme Shop"
    assert labelled_text(Source('{"merchant": "Acme", "city": "Oslo"}'), ("city",))[0].value == "Oslo"
    assert labelled_text(Source("merchant: Acme, city: Oslo"), ("merchant",))[0].value == "Acme"
    assert labelled_text(Source("the merchants were paid"), ("merchant",)) == []


def test_tables_with_pipes_and_with_columns() -> None:
    piped = rows.tables(Source("| Item | Price |\n|---|---|\n| Tea | 2.00 |\n| Pie | 3.00 |\n"))
    spaced = rows.tables(Source("Item      Price\nTea       2.00\nPie       3.00\n\nmore"))
    assert [len(table.rows) for table in (*piped, *spaced)] == [2, 2]


def test_priced_rows_need_numbers_that_multiply_out() -> None:
    found = rows.priced_rows(
        Source("2 x Soup 6.50 13.00\nBread 1 2.00 2.00\nTEA\n3\n1.50\n4.50\nTotal 19.50\nTip 1.00")
    )
    read_rows = [{role: cell.value for role, cell in row.items()} for row in found]
    assert read_rows == [
        {"description": "Soup", "quantity": 2.0, "unit_price": 6.5, "amount": 13.0},
        {"description": "Bread", "quantity": 1.0, "unit_price": 2.0, "amount": 2.0},
        {"description": "TEA", "quantity": 3.0, "unit_price": 1.5, "amount": 4.5},
    ]


@given(st.text(max_size=300))
def test_every_candidate_is_a_span_of_the_text(text: str) -> None:
    source = Source(text)
    for reader in READERS.values():
        for candidate in source.read(reader):
            assert 0 <= candidate.start < candidate.end <= len(text)
            assert 0 <= candidate.cue <= 1


@given(st.dates(min_value=__import__("datetime").date(1970, 1, 1), max_value=__import__("datetime").date(2069, 12, 31)))
def test_written_dates_are_read_back(day: object) -> None:
    import datetime

    assert isinstance(day, datetime.date)
    for written in (
        day.isoformat(),
        day.strftime("%d %B %Y"),
        day.strftime("%B %d, %Y"),
        day.strftime("%d.%m.%Y"),
        day.strftime("%d-%b-%Y"),
    ):
        assert read(dates, f"date: {written}.") == [day.isoformat()]


@given(st.decimals(min_value=0, max_value=9_999_999, places=2))
def test_written_amounts_are_read_back(amount: object) -> None:
    english = f"{amount:,.2f}"
    german = english.replace(",", "_").replace(".", ",").replace("_", ".")
    assert amounts.parse_number(english) == float(str(amount))
    assert amounts.parse_number(german) == float(str(amount))


def test_wrapped_lines_flow_and_short_lines_do_not() -> None:
    text = "This sentence is long enough to have been wrapped at\nsome width.\n\nTotal\n5.00\n- item\n"
    flowed = Source(text).flowed
    assert len(flowed) == len(text)
    assert "wrapped at some width.\n\nTotal\n5.00" in flowed


def test_who_charged_is_the_merchant() -> None:
    assert read(names.merchants, "On Monday Prime Ticket Hub charged me 246.00 EUR.") == ["Prime Ticket Hub"]


def test_groups_of_a_creditors_reference_are_no_references() -> None:
    text = "Payment reference RF35 8788 6986 6579\nOrder K-12"
    assert [one.value for one in Source(text).read(identifiers.references)] == ["K-12"]


def test_a_line_with_a_date_is_no_part_of_an_address() -> None:
    text = "106 Rue de Lyon, Pune 69002\nNovember 30, 2024 11:20"
    assert [one.value for one in Source(text).read(places.addresses)] == ["106 Rue de Lyon, Pune 69002"]


def test_a_city_stands_between_a_name_and_its_country() -> None:
    found = Source("Blue Heron Tavern, Portland, USA").read(places.cities)
    assert [one.value for one in found] == ["Portland"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Arbeitsvertrag\n\nzwischen", "Arbeitsvertrag"),
        ("STATEMENT OF WORK NO. 4\n\nIt begins", "STATEMENT OF WORK NO. 4"),
        ('The contract of Elm Ltd, 12 Elm Road, the\n"Vendor", reads thus.', None),
    ],
)
def test_titles_are_told_from_sentences(text: str, title: str | None) -> None:
    found = Source(text).read(keywords.titles)
    assert (found[0].value if found else None) == title


@pytest.mark.parametrize(
    ("line", "method"),
    [("Card   12.50", "Card"), ("CB 23,40", "CB"), ("Card ending 1234", None), ("bar stool", None)],
)
def test_a_word_for_paying_needs_its_amount(line: str, method: str | None) -> None:
    found = Source(line).read(keywords.payment_methods)
    assert (found[0].value if found else None) == method


def test_a_mail_header_dates_a_letter() -> None:
    assert [one.cue for one in Source("Sent: 5 January 2024 08:14\nHello").read(keywords.letter_dates)] == [0.85]


@pytest.mark.parametrize(
    ("text", "customer"),
    [
        ("Elm Foods Ltd\n4 Elm Road\n\nFern Lines Ltd\n5 Fern Road\n", "Fern Lines Ltd"),
        ("Elm Foods Ltd\n4 Elm Road\n\nMrs A. Hill\n27 Ash Road, Leeds LS6 2QP\n", "Mrs A. Hill"),
        ("Elm Foods Ltd\n4 Elm Road\n", None),
    ],
)
def test_customers_without_a_label(text: str, customer: str | None) -> None:
    found = Source(text).read(keywords.recipients)
    assert (found[0].value if found else None) == customer
