from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tools.errors import InputError
from tools.fraud import (
    FraudPolicy,
    Thresholds,
    derive_features,
    heuristic_score,
    load_policy,
    raise_flags,
    read_transaction,
)
from tools.fraud.policy import BlacklistedMerchant, normalise_merchant

POLICY = FraudPolicy(
    blacklist=(BlacklistedMerchant("ElectroWorld Trading Ltd", "card testing ring", "2024-01-15", "M-1"),),
    suspicious_codes={"7Q": "manual key entry after a chip failure"},
)


def flags_of(**facts: Any) -> dict[str, str]:
    transaction = read_transaction({"amount": 10, "channel": "pos", **facts})
    return {flag.code: flag.evidence for flag in raise_flags(transaction, POLICY)}


def test_an_ordinary_transaction_raises_nothing() -> None:
    assert flags_of() == {}
    assert (
        flags_of(
            customer_usual_amount=12,
            time="14:00",
            country="DE",
            home_country="DE",
            count_1h=1,
            count_24h=2,
            card_age_days=900,
            first_time_merchant=False,
            distance_km=3,
            minutes_since_last=600,
            merchant="Bakery",
            code="00",
        )
        == {}
    )


@pytest.mark.parametrize(
    ("facts", "code", "evidence"),
    [
        (
            {"amount": "2,400 EUR", "usual_amount": 45},
            "amount_far_above_usual",
            "2,400.00 EUR is 53.3 times the customer's usual 45.00 EUR",
        ),
        (
            {"distance_km": 5000, "minutes_since_last": 30},
            "impossible_travel",
            "5,000 km from the last transaction 30 minutes earlier needs 10,000 km/h",
        ),
        ({"count_1h": 6}, "velocity_1h", "6 transactions within one hour"),
        ({"count_24h": 15}, "velocity_24h", "15 transactions within 24 hours"),
        ({"card_age": "3 days"}, "young_card", "the card is 3 days old"),
        (
            {"country": "Nigeria", "home_country": "DEU"},
            "foreign_country",
            "made in NG, the customer's home country is DE",
        ),
        ({"time": "03:12"}, "night_time", "made at 03:12 local time (night: 00:00 to 05:59)"),
        ({"new_merchant": "yes"}, "new_merchant", "first purchase at this merchant"),
        ({"new_category": 1}, "new_category", "first purchase in this merchant category"),
        ({"channel": "online"}, "card_not_present", "the card was not present (ecommerce)"),
        ({"amount": 500}, "round_amount", "round amount of 500.00"),
        (
            {"code": "7-q"},
            "suspicious_code",
            "transaction code 7-q is on the company's list of suspicious codes: manual key entry after a chip failure",
        ),
        (
            {"merchant": "ELECTROWORLD TRADING 0042"},
            "blacklisted_merchant",
            "ELECTROWORLD TRADING 0042 is blacklisted as ElectroWorld Trading Ltd since 2024-01-15: card testing ring",
        ),
    ],
)
def test_each_flag_states_its_numbers(facts: dict[str, Any], code: str, evidence: str) -> None:
    assert flags_of(**facts)[code] == evidence


def test_card_testing_needs_small_amounts_without_the_card_in_a_burst() -> None:
    assert "card_testing" in flags_of(amount=1, channel="online", count_1h=8)
    assert "card_testing" not in flags_of(amount=1, channel="pos", count_1h=8)
    assert "card_testing" not in flags_of(amount=90, channel="online", count_1h=8)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"amount": 224, "usual_amount": 45}, "amount_far_above_usual"),
        ({"usual_amount": 0}, "amount_far_above_usual"),
        ({"distance_km": 50, "minutes_since_last": 1}, "impossible_travel"),
        ({"distance_km": 5000}, "impossible_travel"),
        ({"time": "06:00"}, "night_time"),
        ({"country": "NG"}, "foreign_country"),
        ({"merchant": "ElectroWords Training"}, "blacklisted_merchant"),
        ({"amount": 499}, "round_amount"),
    ],
)
def test_flags_stay_down_below_their_threshold_or_without_the_fact(facts: dict[str, Any], code: str) -> None:
    assert code not in flags_of(**facts)


def test_misspelt_blacklisted_merchants_are_found_and_said_to_be_alike() -> None:
    assert "names 9" in flags_of(merchant="Electroworld Tradng")["blacklisted_merchant"]


def test_thresholds_are_the_companys() -> None:
    strict = FraudPolicy(Thresholds(amount_ratio=2))
    transaction = read_transaction({"amount": 100, "merchant": "X", "usual_amount": 45})
    assert [flag.code for flag in raise_flags(transaction, strict)] == ["amount_far_above_usual"]


def test_the_heuristic_score_is_bounded() -> None:
    facts: dict[str, Any] = {"amount": 2400, "merchant": "ElectroWorld Trading", "code": "7Q", "usual_amount": 4}
    flags = raise_flags(read_transaction(facts), POLICY)
    assert heuristic_score(flags) == 100
    assert [flag.points for flag in flags] == sorted((flag.points for flag in flags), reverse=True)
    assert heuristic_score([]) == 0


def test_speed_counts_simultaneous_transactions_as_a_minute_apart() -> None:
    transaction = read_transaction({"amount": 5, "merchant": "X", "distance_km": 10, "minutes_since_last": 0})
    assert derive_features(transaction, POLICY).speed_kmh == 600


@pytest.mark.parametrize(
    ("name", "normal"),
    [("ELECTRO-WORLD GmbH", "electro world"), ("Shell 0042", "shell"), ("24 7", "24"), ("A & B Ltd.", "a and b")],
)
def test_merchant_names_are_compared_without_decoration(name: str, normal: str) -> None:
    assert normalise_merchant(name) == normal


def test_a_policy_is_read_from_its_files(tmp_path: Path) -> None:
    blacklist, codes = tmp_path / "blacklist.csv", tmp_path / "codes.csv"
    blacklist.write_text("merchant_id,merchant,reason,since\nM-9,Zed Cars,laundering,2023-05-01\n", encoding="utf-8")
    codes.write_text("code,reason\nx1,test terminal\n", encoding="utf-8")
    policy = load_policy(blacklist, codes)
    match = policy.find_blacklisted("ZED CARS LTD")
    assert match is not None
    assert (match.entry.merchant_id, match.similarity) == ("M-9", 100)
    assert policy.suspicious_code("X-1") == "test terminal"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"merchant_id,reason\n1,x\n", b'merchant\n""\n'])
def test_an_unusable_policy_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "list.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"list\.csv"):
        load_policy(path)
