from __future__ import annotations

import math
from datetime import datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.errors import InputError
from tools.fraud import FieldsError, MissingFieldsError, Transaction, read_transaction


def test_common_aliases_and_nesting_are_understood() -> None:
    transaction = read_transaction(
        {
            "amt": "$2,400",
            "merchant": {"name": "ElectroWorld", "category": "electronics_net"},
            "trans_date": "2024-03-01",
            "trans_time": "03:12:00",
            "usual_amount": 45,
            "location": "Lagos, Nigeria",
            "home_country": "Germany",
            "channel": "card-not-present",
            "card_age": "3 days",
            "tx_1h": 4,
            "distance_miles": 1000,
            "hours_since_last": 0.5,
        }
    )
    assert (transaction.amount, transaction.currency) == (2400, "USD")
    assert (transaction.merchant, transaction.merchant_category) == ("ElectroWorld", "electronics net")
    assert transaction.timestamp == datetime(2024, 3, 1, 3, 12)
    assert transaction.time_of_day == time(3, 12)
    assert (transaction.city, transaction.country, transaction.customer_home_country) == ("Lagos", "NG", "DE")
    assert transaction.channel == "ecommerce"
    assert transaction.card_age_days == 3
    assert transaction.distance_from_last_km == pytest.approx(1609.344)
    assert transaction.minutes_since_last == 30
    assert transaction.details == {}


def test_absent_facts_stay_absent() -> None:
    transaction = read_transaction({"amount": 5, "channel": "atm"})
    assert transaction.model_dump(exclude_none=True) == {"amount": 5, "channel": "atm", "details": {}}


@pytest.mark.parametrize(
    ("raw", "missing"),
    [
        ({}, ["amount", "merchant"]),
        ({"amount": 3}, ["merchant"]),
        ({"merchant": "X"}, ["amount"]),
        ({"amount": None, "merchant": "X"}, ["amount"]),
        ({"amount": "n/a", "channel": "pigeon"}, ["amount", "merchant"]),
    ],
)
def test_missing_essentials_are_asked_for(raw: dict[str, Any], missing: list[str]) -> None:
    with pytest.raises(MissingFieldsError) as caught:
        read_transaction(raw)
    assert caught.value.code == "missing_fields"
    assert caught.value.details["missing"] == missing
    assert "still need" in caught.value.message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", math.nan),
        ("amount", math.inf),
        ("amount", -0.0),
        ("amount", -5),
        ("amount", 1e30),
        ("amount", "lots"),
        ("amount", True),
        ("customer_usual_amount", "-3"),
        ("currency", "money"),
        ("count_1h", 2.5),
        ("count_24h", -1),
        ("distance_from_last_km", 1e6),
        ("card_age_days", "-3 days"),
        ("minutes_since_last", "soon"),
        ("first_time_merchant", "perhaps"),
        ("time", "never"),
        ("merchant", "x" * 500),
    ],
)
def test_impossible_values_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(FieldsError) as caught:
        read_transaction({"amount": 5, "merchant_category": "fuel", field: value})
    assert list(caught.value.details["fields"]) == [field]
    assert field in caught.value.message


def test_unknown_fields_become_bounded_details() -> None:
    raw = {
        "amount": 5,
        "merchant": "X",
        "job": "Pilot",
        "long": "y" * 300,
        "list": [1, 2],
        **{f"f{i}": i for i in range(90)},
    }
    details = read_transaction(raw).details
    assert details["job"] == "Pilot"
    assert "long" not in details
    assert "list" not in details
    assert len(details) == 40


@pytest.mark.parametrize(
    "name", ["is_fraud", "label", "Class", "cc_num", "card number", "email", "IP-Address", "isFraud"]
)
def test_answers_and_identifiers_never_reach_the_details(name: str) -> None:
    assert read_transaction({"amount": 5, "merchant": "X", name: "1"}).details == {}


def test_an_unknown_country_is_a_detail_and_not_a_fact() -> None:
    transaction = read_transaction({"amount": 5, "merchant": "X", "country": "Atlantis"})
    assert transaction.country is None
    assert transaction.details == {"country": "Atlantis"}


def test_the_padding_of_a_date_column_is_not_midnight() -> None:
    assert read_transaction({"amount": 5, "merchant": "X", "date": "2024-03-01 00:00:00"}).time_of_day is None


def test_too_many_fields_are_refused() -> None:
    with pytest.raises(FieldsError):
        read_transaction({f"f{i}": i for i in range(500)})


def test_a_transaction_reads_back_from_its_own_dump() -> None:
    transaction = read_transaction(
        {
            "amount": 5.5,
            "currency": "EUR",
            "merchant": "X",
            "timestamp": "2024-03-01T10:00:00",
            "city": "Rome",
            "seat": 3,
        }
    )
    assert read_transaction(transaction.model_dump(mode="json")) == transaction


_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
_names = st.sampled_from([*Transaction.model_fields, "amt", "tx_1h", "date", "unknown"]) | st.text(max_size=12)


@given(st.dictionaries(_names, _scalars | st.dictionaries(_names, _scalars, max_size=3), max_size=12))
def test_any_mapping_gives_a_transaction_or_an_input_error(raw: dict[str, Any]) -> None:
    try:
        transaction = read_transaction(raw)
    except InputError as error:
        assert error.details  # noqa: PT017
    else:
        assert math.isfinite(transaction.amount)
        assert read_transaction(transaction.model_dump(mode="json")).amount == transaction.amount
