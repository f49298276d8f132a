from __future__ import annotations

import json
import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from tools.pii import IN_RECORDS, IN_TEXTS, mask_personal_data

CARD = "4111 1111 1111 1111"
IBAN = "DE89 3704 0044 0532 0130 00"
_ISSUERS = ("4", "51", "55", "2221", "2720", "34", "37", "36", "3528", "6011", "62", "5018", "2200", "81", "9792")
_LENGTHS = {"34": 15, "37": 15, "36": 14}
_COUNTRIES = {"DE": "[0-9]{18}", "GB": "[A-Z]{4}[0-9]{14}", "FR": "[0-9]{10}[A-Z0-9]{11}[0-9]{2}"}
_BEFORE = st.sampled_from(["", " ", "card ", "\n", "\\n", '"', "(", "no. ", "; "])
_AFTER = st.sampled_from(["", " ", "\n", "\\n", '"', ")", ".", "; ", " EUR 500"])


@st.composite
def cards(draw: st.DrawFn) -> str:
    """A valid card number, as people group digits."""
    prefix = draw(st.sampled_from(_ISSUERS))
    length = _LENGTHS.get(prefix, 16)
    body = prefix + draw(st.text("0123456789", min_size=length, max_size=length))[: length - 1 - len(prefix)]
    number = body + luhn.calc_check_digit(body)
    gap = draw(st.sampled_from(["", " ", "-", "\u00a0"]))
    return gap.join(re.findall(r"\d{1,4}", number))


@st.composite
def ibans(draw: st.DrawFn) -> str:
    """An IBAN with right check digits, grouped or not, in either case."""
    country = draw(st.sampled_from(sorted(_COUNTRIES)))
    account = draw(st.from_regex(_COUNTRIES[country], fullmatch=True))
    number = int("".join(str(int(char, 36)) for char in f"{account}{country}00"))
    iban = f"{country}{98 - number % 97:02}{account}"
    return draw(st.sampled_from([iban, iban.lower(), " ".join(re.findall(".{1,4}", iban))]))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to ana.lo@example.org now", "write to [email] now"),
        (f"card {CARD} used", "card [card] used"),
        (f"card {CARD} 12/27 cvv", "card [card] 12/27 cvv"),
        (f"on 2026-11-03 {CARD.replace(' ', '')}", "on 2026-11-03 [card]"),
        ("5105105105105100 4111111111111111", "[card] [card]"),
        (r"repr:\n4111111111111111\nDE89370400440532013000", r"repr:\n[card]\n[iban]"),
        (f"from IBAN {IBAN}.", "from IBAN [iban]."),
        (f"{IBAN} GB29 NWBK 6016 1331 9268 19 EUR 500", "[iban] [iban] EUR 500"),
        ("call +353 1 555 0199", "call [phone]"),
        ("call +49 (0)30 123456 now", "call [phone] now"),
        ("call (555) 555-0199 or 555-555-0199", "call [phone] or [phone]"),
        ("Tel. 030 1234567, open", "Tel. [phone], open"),
        ("ssn 078-05-1120", "ssn [ssn]"),
        ("from 192.168.0.7", "from [ip]"),
    ],
)
def test_personal_data_are_replaced_by_their_kind(text: str, masked: str) -> None:
    assert mask_personal_data(text).text == masked


@pytest.mark.parametrize(
    "text",
    [
        "2400 EUR, 53 times the usual amount, 4 this hour 9 today 20 this week, code TX-105",
        "order 1234567890123456",
        "0000 0000 0000 0000",
        "version 1.2.3.999",
        "0.4111111111111111",
        "1767225600000 and 1767225600000000000",
        "20261103123045",
        "2026-11-03T12:00:00+02:00 2,400.00 EUR",
        "4f1a411111111111111111aa90bb01c2",
        "12345678-1234-4123-8123-123456789012",
        "+2400 EUR -1200.50",
        "iPhone 15 2024",
    ],
)
def test_ordinary_numbers_stay(text: str) -> None:
    assert mask_personal_data(text).text == text
    assert not mask_personal_data(text).found


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"customer_name": "Ana Lo", "amount": 3}', '{"customer_name": "[name]", "amount": 3}'),
        (json.dumps({"cardholderName": "José Lo"}), '{"cardholderName": "[name]"}'),
        (json.dumps(json.dumps({"first_name": "Ana"})), json.dumps(json.dumps({"first_name": "[name]"}))),
        ("{'account_holder': \"Ana O'Neil\"}", "{'account_holder': \"[name]\"}"),
        ('{"customer": {"id": "C-1", "name": "Ana"}}', '{"customer": {"id": "C-1", "name": "[name]"}}'),
        ("Cardholder: Ana de la Cruz, 50 EUR", "Cardholder: [name], 50 EUR"),
        ("customer name = Ana Lo paid", "customer name = [name] paid"),
    ],
)
def test_names_in_known_fields_are_masked(text: str, masked: str) -> None:
    assert mask_personal_data(text, IN_RECORDS).text == masked


@pytest.mark.parametrize(
    "text",
    [
        '{"customer": "C-1009", "customer_id": "Ana"}',
        "customer: regular",
        "customer: C-1009",
        '{"merchant": "Ana Lo", "name": "retrieve"}',
        '{"customer_name": null, "customer_usual_amount": 45}',
    ],
)
def test_other_fields_stay(text: str) -> None:
    assert mask_personal_data(text, IN_RECORDS).text == text


def test_only_the_kinds_asked_for_are_masked() -> None:
    text = f"{CARD} 192.168.0.7 customer_name: Ana"
    assert mask_personal_data(text, IN_RECORDS).text == "[card] 192.168.0.7 customer_name: [name]"
    assert mask_personal_data(text, IN_TEXTS).text == "[card] [ip] customer_name: Ana"
    assert mask_personal_data(f"{CARD} {CARD}").found == {"card": 2}


@given(card=cards(), before=_BEFORE, after=_AFTER)
def test_every_card_number_is_found(card: str, before: str, after: str) -> None:
    assert mask_personal_data(f"{before}{card}{after}").text == f"{before}[card]{after}"


@given(card=cards(), position=st.integers(0, 18), digit=st.integers(1, 9))
def test_a_number_with_a_wrong_digit_is_no_card(card: str, position: int, digit: int) -> None:
    digits = re.sub(r"\D", "", card)
    at = position % len(digits)
    wrong = digits[:at] + str((int(digits[at]) + digit) % 10) + digits[at + 1 :]
    assert mask_personal_data(wrong, ["card"]).text == wrong


@given(iban=ibans(), before=_BEFORE, after=_AFTER)
def test_every_iban_is_found(iban: str, before: str, after: str) -> None:
    assert mask_personal_data(f"{before}{iban}{after}", ["iban"]).text == f"{before}[iban]{after}"


@given(iban=ibans(), digit=st.integers(1, 9))
def test_an_iban_with_a_wrong_digit_is_none(iban: str, digit: int) -> None:
    wrong = iban[:2] + str((int(iban[2]) + digit) % 10) + iban[3:]
    assert mask_personal_data(wrong, ["iban"]).text == wrong


@given(st.from_regex(r"[a-z0-9](?:[a-z0-9._+-]{0,20}[a-z0-9])?@[a-z]{1,8}(?:\.[a-z]{2,5}){1,2}", fullmatch=True))
def test_every_plain_address_is_found(address: str) -> None:
    assert mask_personal_data(f"<{address}>").text == "<[email]>"


@given(
    amount=st.decimals(0, 10**7, places=2),
    moment=st.datetimes(),
    count=st.integers(0, 9999),
    identifier=st.uuids(),
)
def test_amounts_dates_counts_and_ids_stay(amount: object, moment: object, count: int, identifier: UUID) -> None:
    text = f"{amount} EUR on {moment}, {count} today, run {identifier}, trace {identifier.hex}, TX-{count:06}"
    assert mask_personal_data(text, IN_RECORDS).text == text


@given(st.text())
def test_any_text_is_masked_once(text: str) -> None:
    masked = mask_personal_data(text, IN_RECORDS | IN_TEXTS)
    assert masked.found or masked.text == text
    assert not mask_personal_data(masked.text, IN_TEXTS).found


@pytest.mark.parametrize("text", ["1 ", "4 ", "4111 ", "AB12", "AB12 ", "+1", "a", "customer: ", '"customer": {', "a@"])
def test_texts_made_to_be_slow_end(text: str) -> None:
    assert isinstance(mask_personal_data(text * 10_000, IN_RECORDS | IN_TEXTS).text, str)
