from __future__ import annotations

import pytest

from finetune.data.prepare import company_policy
from finetune.evaluation.explanations import is_complete, is_readable, is_true, numbers_follow
from tools.fraud.flags import Flag, raise_flags
from tools.fraud.policy import FraudPolicy
from tools.fraud.reasoning import explain
from tools.fraud.transaction import Transaction

POLICY = company_policy(None)
NIGHT = Transaction(
    amount=1840.0,
    currency="EUR",
    merchant="Studio 54",
    channel="ecommerce",
    customer_usual_amount=45.0,
    time_of_day="03:12",  # pyright: ignore[reportArgumentType]
    count_1h=6,
    card_age_days=3.0,
    distance_from_last_km=900.0,
    minutes_since_last=30.0,
)


@pytest.fixture(scope="module")
def flags() -> list[Flag]:
    return raise_flags(NIGHT, POLICY)


def test_computed_reasons_are_true_of_their_transaction(flags: list[Flag]) -> None:
    assert len(flags) >= 5
    assert all(is_true(flag, NIGHT, POLICY) for flag in flags)


@pytest.mark.parametrize(
    "reason",
    [
        "1,840.00 EUR is 41.9 times the customer's usual 45.00 EUR",
        "900 km from the last transaction 30 minutes earlier needs 1,900 km/h",
        "7 transactions within one hour",
        "the card is 4 days old",
    ],
)
def test_a_reason_with_a_number_that_does_not_follow_is_untrue(reason: str) -> None:
    assert not numbers_follow(reason, NIGHT, POLICY)


def test_digits_of_a_name_are_no_claim() -> None:
    assert numbers_follow("Studio 54 was paid 1,840.00 EUR", NIGHT, FraudPolicy())
    assert not numbers_follow("Studio 55 was paid 1,840.00 EUR", NIGHT, FraudPolicy())


def test_an_explanation_names_or_counts_every_weighty_flag(flags: list[Flag]) -> None:
    text = explain("FRAUD", 0.97, calibrated=True, flags=flags, base="base", adapter="fraud@1")
    assert is_complete(text, flags)
    assert not is_complete(text.replace(flags[0].evidence, "something").partition("; and")[0], flags)


def test_readable_is_short_and_without_internal_names(flags: list[Flag]) -> None:
    text = explain("FRAUD", 0.97, calibrated=True, flags=flags, base="base", adapter="fraud@1")
    assert is_readable(text)
    assert not is_readable(text + " amount_far_above_usual")
    assert not is_readable(text + " word" * 90)
    assert not is_readable("Red flags first. " + text)
