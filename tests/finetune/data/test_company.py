from __future__ import annotations

import random
from datetime import time
from typing import Any

import pytest

from finetune.data.company import company_case, rule_points
from tools.fraud import FraudPolicy, Transaction

ORDINARY = Transaction(
    amount=48,
    currency="EUR",
    merchant="Maple Grocers",
    merchant_category="grocery",
    channel="contactless",
    country="IE",
    customer_home_country="IE",
    customer_usual_amount=40,
    minutes_since_last=400,
    distance_from_last_km=2,
    count_1h=1,
    count_24h=3,
    count_7d=9,
    first_time_merchant=False,
    first_time_category=False,
    card_age_days=600,
)


@pytest.mark.parametrize(
    ("facts", "points"),
    [
        # The examples of document RR-01, section 4.
        ({"amount": 620, "customer_usual_amount": 55, "channel": "ecommerce", "first_time_merchant": True}, 50),
        (
            {
                "amount": 300, "customer_usual_amount": 55, "channel": "atm", "country": "BR",
                "time_of_day": time(3, 10), "minutes_since_last": 40, "distance_from_last_km": 7500,
            },
            100,
        ),
        ({"amount": 85, "merchant": "Bargain Bay Sneakers", "customer_usual_amount": 55}, 40),
        (
            {
                "amount": 1.2, "merchant": "Nightjar Digital Top-ups", "merchant_category": "digital goods",
                "count_1h": 5,
            },
            100,
        ),
        ({}, 0),
    ],
)  # fmt: skip
def test_points_are_those_of_the_rules_document(facts: dict[str, Any], points: int, policy: FraudPolicy) -> None:
    assert rule_points(ORDINARY.model_copy(update=facts), policy) == points


def test_company_cases_are_decided_by_the_rules(policy: FraudPolicy) -> None:
    rng = random.Random(2)
    cases = [found for _ in range(600) if (found := company_case(rng, ORDINARY, policy))]
    assert {case.scenario for case in cases} == {
        "blacklist",
        "alert_code",
        "namesake",
        "technical_code",
        "card_testing",
    }
    for case in cases:
        points = rule_points(case.transaction, policy)
        assert case.fraud == (points >= 55)
        assert points <= 45 or points >= 55
    assert all(not case.fraud for case in cases if case.scenario in ("namesake", "technical_code"))
