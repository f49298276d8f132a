from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.errors import InputError
from tools.fraud import MissingFieldsError, looks_like_transaction, parse_transaction, require_transaction

PROSE: list[tuple[str, dict[str, Any]]] = [
    (
        "Card-not-present purchase of EUR 2,400 at 03:12 at ElectroWorld in Lagos, customer usually spends 45, "
        "card 3 days old",
        {
            "amount": 2400,
            "currency": "EUR",
            "time_of_day": "03:12:00",
            "merchant": "ElectroWorld",
            "city": "Lagos",
            "channel": "ecommerce",
            "customer_usual_amount": 45,
            "card_age_days": 3,
        },
    ),
    (
        "Is this fraud? $1,200.50 online at Steam Games at 2 am, 3rd purchase in the last hour, home country Germany, "
        "in Bucharest, Romania, 1,800 km from the last transaction 20 minutes after the previous one.",
        {
            "amount": 1200.5,
            "currency": "USD",
            "merchant": "Steam Games",
            "time_of_day": "02:00:00",
            "channel": "ecommerce",
            "count_1h": 3,
            "customer_home_country": "DE",
            "city": "Bucharest",
            "country": "RO",
            "distance_from_last_km": 1800,
            "minutes_since_last": 20,
        },
    ),
    (
        "Customer paid 45.20 euros at a gas station in Munich, Germany at noon, known merchant, card is 4 years old, "
        "average spend is 50 EUR, transaction code TX-99",
        {
            "amount": 45.2,
            "currency": "EUR",
            "merchant_category": "gas station",
            "city": "Munich",
            "country": "DE",
            "time_of_day": "12:00:00",
            "first_time_merchant": False,
            "card_age_days": 1461,
            "customer_usual_amount": 50,
            "transaction_code": "TX-99",
        },
    ),
    (
        "withdrew 500 from an ATM in Nigeria at 3:12 am, customer lives in Germany, 12 transactions in the last "
        "24 hours and 40 in 7 days",
        {
            "amount": 500,
            "channel": "atm",
            "country": "NG",
            "customer_home_country": "DE",
            "time_of_day": "03:12:00",
            "count_24h": 12,
            "count_7d": 40,
        },
    ),
    (
        "A payment of 1.200,50 € to Acme Travel from a 2-day-old card, first purchase at this merchant",
        {
            "amount": 1200.5,
            "currency": "EUR",
            "merchant": "Acme Travel",
            "card_age_days": 2,
            "first_time_merchant": True,
        },
    ),
    ("Score this: 2400 at ElectroWorld", {"amount": 2400, "merchant": "ElectroWorld"}),
    (
        "On 1 March 2024 at 14:05 the customer tapped 12 GBP at Tesco",
        {
            "amount": 12,
            "currency": "GBP",
            "merchant": "Tesco",
            "channel": "contactless",
            "timestamp": "2024-03-01T14:05:00",
            "time_of_day": "14:05:00",
        },
    ),
]


@pytest.mark.parametrize(("text", "facts"), PROSE)
def test_prose_is_read_fact_by_fact(text: str, facts: dict[str, Any]) -> None:
    transaction = parse_transaction(text)
    assert transaction is not None
    assert transaction.model_dump(mode="json", exclude_none=True, exclude={"details"}) == facts
    assert looks_like_transaction(text).score >= 0.7


STRUCTURED = [
    'Please score {"amount": "2.400,00", "merchant": {"name": "ElectroWorld"}, "time": "03:12"} for me',
    '[{"amount": 2400, "merchant": "ElectroWorld", "time": "03:12"}]',
    '{"transaction": {"amount": 2400, "merchant": "ElectroWorld", "time": "03:12"}}',
    "Amount: 2.400,00\nMerchant: ElectroWorld\nTime: 03:12",
    "- **Amount**: 2,400\n- **Merchant**: ElectroWorld\n- **Time**: 03:12",
    "amount=2,400, merchant=ElectroWorld, time=03:12",
    "amount: 2400; merchant: ElectroWorld; time: 03:12",
    "amt,merchant,trans_time\n2400.00,ElectroWorld,03:12",
    "Check this:\namt;merchant_name;time\n2.400,00;ElectroWorld;03:12\n",
    "amount\tmerchant\ttime\n2400\tElectroWorld\t03:12",
]


@pytest.mark.parametrize("text", STRUCTURED)
def test_every_notation_gives_the_same_transaction(text: str) -> None:
    transaction = parse_transaction(text)
    assert transaction is not None
    assert (transaction.amount, transaction.merchant) == (2400, "ElectroWorld")
    assert str(transaction.time_of_day) == "03:12:00"
    assert looks_like_transaction(text).score >= 0.9


NOT_TRANSACTIONS = [
    "",
    "hello",
    "score this transaction",
    "What is the limit for a 2,400 EUR card payment?",
    "What is the daily ATM withdrawal limit in Nigeria?",
    "How do I dispute a charge of 45 EUR at Amazon?",
    "Can a customer withdraw 500 EUR at an ATM abroad?",
    "And what about 500 EUR?",
    "Is a purchase of 900 EUR at night allowed by the policy?",
    "Card payments above EUR 2,400 must be approved by the risk desk.",
    "Contactless payments up to 50 EUR need no PIN; the limit is 150 EUR a day.",
    "Invoice INV-33\nTotal: EUR 2,400.00\nVAT: 20%\nDate: 2024-03-01\nVendor: ElectroWorld GmbH\nDue date: 2024-04-01",
    "This agreement between Acme GmbH and Beta Ltd is made on 1 March 2024. The fee of EUR 2,400 is due monthly. "
    "Either party may end this contract with 30 days notice.",
    "Dear Sir or Madam, I dispute the charge of EUR 240 at ElectroWorld on 3 March 2024. Please refund it. "
    "Sincerely, Ann",
    "Which merchants are on the blacklist?",
    "Explain transaction code 4Q and when it applies.",
]


@pytest.mark.parametrize("text", NOT_TRANSACTIONS)
def test_questions_rules_and_documents_do_not_look_like_transactions(text: str) -> None:
    assert looks_like_transaction(text).score < 0.5


def test_a_judgement_asked_as_a_question_is_a_transaction() -> None:
    assert looks_like_transaction("Should we block a 900 USD contactless payment at Joe's Diner?").score >= 0.7


def test_several_transactions_are_not_scored_as_one() -> None:
    rows = [{"amount": i, "merchant": "X"} for i in range(1, 4)]
    with pytest.raises(InputError) as caught:
        parse_transaction(json.dumps(rows))
    assert caught.value.code == "several_transactions"
    assert caught.value.details == {"count": 3}
    assert looks_like_transaction(json.dumps(rows)).several


def test_a_text_without_a_transaction_is_none_or_asked_for() -> None:
    assert parse_transaction("hello there") is None
    with pytest.raises(MissingFieldsError):
        require_transaction("score this transaction")


def test_missing_essentials_in_prose_are_asked_for() -> None:
    with pytest.raises(MissingFieldsError) as caught:
        parse_transaction("Is this fraud: a purchase of 2,400 EUR?")
    assert caught.value.details["missing"] == ["merchant"]


def test_the_usual_amount_is_not_taken_for_the_amount() -> None:
    transaction = parse_transaction("The customer usually spends EUR 45; now EUR 900 at Zed Cars")
    assert transaction is not None
    assert (transaction.amount, transaction.customer_usual_amount) == (900, 45)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_with_an_input_error(text: str) -> None:
    evidence = looks_like_transaction(text)
    assert 0 <= evidence.score <= 1
    try:
        parse_transaction(text)
    except InputError as error:
        assert error.code in {"missing_fields", "invalid_fields", "several_transactions"}  # noqa: PT017


@given(
    st.decimals(min_value="0.01", max_value=99999, places=2),
    st.sampled_from(["EUR", "USD", "GBP", "CHF"]),
    st.sampled_from(["ElectroWorld", "Acme Travel", "Joe's Diner", "Café Zoë"]),
    st.times(),
)
def test_prose_survives_any_amount_merchant_and_time(amount: object, currency: str, merchant: str, clock: Any) -> None:
    text = f"Purchase of {currency} {amount:,.2f} at {merchant} at {clock:%H:%M}"
    transaction = parse_transaction(text)
    assert transaction is not None
    assert transaction.amount == float(str(amount))
    assert (transaction.currency, transaction.merchant) == (currency, merchant)
    assert f"{transaction.time_of_day:%H:%M}" == f"{clock:%H:%M}"


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "text", ["1 " * 50_000, "[" * 100_000, "at A " * 20_000, "a:1\n" * 25_000, "card " * 20_000, "{" * 9999]
)
def test_hostile_texts_are_read_in_bounded_time(text: str) -> None:
    looks_like_transaction(text)
