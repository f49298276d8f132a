from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tools.fraud import FraudPolicy, derive_features, narrate, read_transaction
from tools.fraud.policy import BlacklistedMerchant

POLICY = FraudPolicy(blacklist=(BlacklistedMerchant("Zed Cars", "laundering"),), suspicious_codes={"7Q": ""})


def narrative(**facts: Any) -> str:
    transaction = read_transaction(facts)
    return narrate(transaction, derive_features(transaction, POLICY))


def test_the_wording_is_fixed() -> None:
    """An adapter has learned these words: a change here needs a new `NARRATIVE_VERSION`."""
    assert narrative(
        amount="2,400 EUR",
        usual_amount=45,
        channel="online",
        time="03:12",
        card_age="3 days",
        count_1h=4,
        count_24h=9,
        category="electronics",
        merchant="Zed Cars",
        new_merchant="yes",
        new_category="no",
        location="Lagos, Nigeria",
        home_country="DE",
        distance_km=5400,
        minutes_since_last=30,
        code="7Q",
        job="Pilot",
        lat=6.45,
        memo="asked for two\ndeliveries",
    ) == (
        "2400 EUR, extreme 53 times the usual amount, round amount, blacklisted merchant: laundering, suspicious code, "
        "online, 3h at night, card 3 days old, 4 this hour 9 today, electronics, Zed Cars, new merchant, "
        "known category, Lagos NG, abroad, 5400 km from the last in 30 minutes, impossible travel, code 7Q, job Pilot, "
        "note: asked for two deliveries."
    )


def test_absent_facts_are_left_out() -> None:
    assert narrative(amount=9.5, merchant="Bakery") == "Amount 9.50, Bakery."


def test_time_alone_says_what_it_is_measured_from() -> None:
    assert narrative(amount=9.5, channel="online", minutes_since_last=90) == (
        "Amount 9.50, online, 1.5 hours after the last."
    )


def test_small_ratios_and_long_ages_stay_readable() -> None:
    text = narrative(amount=3, merchant="Bakery", usual_amount=100, card_age_days=1500)
    assert text == "Amount 3.00, 0.03 times the usual amount, card 4 years old, Bakery."


@given(st.dictionaries(st.text(max_size=60), st.text(max_size=90) | st.integers(), max_size=20))
def test_the_narrative_is_one_short_line(details: dict[str, Any]) -> None:
    facts: dict[str, Any] = {
        "amount": 5,
        "channel": "pos",
        **{f"other {name}": value for name, value in details.items()},
    }
    text = narrative(**facts)
    assert "\n" not in text
    assert len(text) < 560
    assert text == narrative(**facts)
