"""The embedded base model, for real: what the label tokens, the prompt and the narrative cost and give."""

from __future__ import annotations

import math

import pytest

from agent.models.role_model import RoleModel
from tools.fraud import FraudPolicy, assess, label_logit, parse_transaction, read_transaction, score, score_many

pytestmark = pytest.mark.model

POLICY = FraudPolicy()
LONG = read_transaction(
    {
        "amount": "12,400.50 EUR",
        "usual_amount": 45.75,
        "channel": "online",
        "time": "03:12",
        "card_age": "3 days",
        "count_1h": 14,
        "count_24h": 29,
        "count_7d": 61,
        "category": "electronics and appliances",
        "merchant": "ElectroWorld International",
        "new_merchant": "yes",
        "new_category": "yes",
        "location": "Lagos, Nigeria",
        "home_country": "DE",
        "distance_km": 5412,
        "minutes_since_last": 30,
        "code": "7Q-114",
        "occupation": "Commercial pilot",
        "city_population": 15388000,
        "terminal": "T-0099812",
    }
)


async def test_one_forward_pass_gives_both_labels(fraud_model: RoleModel) -> None:
    labels = await label_logit(fraud_model, "2400 EUR, 53 times the usual amount, online, 3h at night.")
    assert labels.usage.completion_tokens == 1
    assert math.isfinite(labels.z)
    assert labels.logp_fraud < 0
    assert labels.logp_legitimate < 0
    assert len(labels.floored) < 2


async def test_the_score_is_repeatable_and_marked_as_the_base_models(fraud_model: RoleModel) -> None:
    transaction = parse_transaction(
        "Card-not-present purchase of EUR 2,400 at 03:12 at ElectroWorld, usually spends 45"
    )
    assert transaction is not None
    one, two = await score_many([transaction, transaction], fraud_model, POLICY)
    assert one.probability == pytest.approx(two.probability, abs=0.02)
    assert (one.calibrated, one.model.adapter) == (False, None)
    assert one.model.sha256 is not None


async def test_the_longest_narrative_stays_short_in_tokens(fraud_model: RoleModel) -> None:
    """The narrative's share of the prompt, digits and all: its tokens beyond those of an empty message."""
    narrative = assess(LONG, POLICY).narrative
    full = await label_logit(fraud_model, narrative)
    empty = await label_logit(fraud_model, ".")
    assert full.usage.prompt_tokens - empty.usage.prompt_tokens <= 110
    typical = await score(
        read_transaction({"amount": 45.2, "merchant": "Bakery", "usual_amount": 40, "time": "14:00", "count_24h": 2}),
        fraud_model,
        POLICY,
    )
    assert typical.usage.prompt_tokens - empty.usage.prompt_tokens <= 60
