"""What is sent for one decision: the tuned model's short prompt, or all of the company's rules and a few examples."""

from __future__ import annotations

from dataclasses import replace

from tools.fraud.features import derive_features
from tools.fraud.narrative import narrate
from tools.fraud.policy import FraudPolicy, Thresholds
from tools.fraud.prompt import FRAUD, LEGITIMATE, LabelExample, LabelPrompt, load_prompt
from tools.fraud.transaction import Transaction
from tools.ports import Message

SHOTS: tuple[LabelExample, ...] = tuple(
    LabelExample(narrate(transaction, derive_features(transaction, FraudPolicy())), label)
    for transaction, label in (
        (Transaction(amount=31.4, currency="EUR", merchant="Corner Basket", merchant_category="grocery",
                     channel="contactless", country="IE", customer_home_country="IE", customer_usual_amount=34,
                     distance_from_last_km=2, minutes_since_last=700, count_1h=1, count_24h=2, count_7d=11,
                     first_time_merchant=False, first_time_category=False, card_age_days=700,
                     transaction_code="TX-105"), LEGITIMATE),
        (Transaction(amount=1.2, currency="EUR", merchant="Teal Game Keys", merchant_category="digital goods",
                     channel="ecommerce", customer_home_country="IE", customer_usual_amount=34, minutes_since_last=1,
                     count_1h=6, count_24h=7, count_7d=15, first_time_merchant=True, card_age_days=700,
                     transaction_code="TX-704"), FRAUD),
        (Transaction(amount=640, currency="EUR", merchant="Maple Hotel", merchant_category="hotel", channel="pos",
                     country="PT", city="Porto", customer_home_country="IE", customer_usual_amount=52,
                     distance_from_last_km=1490, minutes_since_last=1600, count_1h=1, count_24h=3, count_7d=12,
                     first_time_merchant=True, card_age_days=900, transaction_code="TX-100",
                     note="travel notice for Porto lodged 4 days ago"), LEGITIMATE),
        (Transaction(amount=890, currency="EUR", merchant="Flint Handsets", merchant_category="electronics",
                     channel="ecommerce", customer_home_country="FR", customer_usual_amount=41, minutes_since_last=90,
                     count_1h=1, count_24h=2, count_7d=9, first_time_merchant=True, first_time_category=True,
                     card_age_days=400, transaction_code="TX-706", note="SIM card swapped 2 days ago"), FRAUD),
    )
)  # fmt: skip


def tuned_messages(narrative: str) -> list[Message]:
    """The prompt of the tuned model: its weights know the rest."""
    return list(load_prompt().messages(narrative))


def prompted_messages(narrative: str, policy: FraudPolicy) -> list[Message]:
    """The prompt of a model that was not tuned: instruction, the company's rules, examples, then the question."""
    return list(prompt_with_rules(policy).messages(narrative))


def prompt_with_rules(policy: FraudPolicy) -> LabelPrompt:
    """The tuned model's question, with the company's rules and a few examples before it."""
    bare = load_prompt()
    return replace(bare, instruction=f"{bare.instruction}\n\n{company_rules(policy)}", examples=SHOTS)


def company_rules(policy: FraudPolicy) -> str:
    """The company's lists and thresholds in words."""
    merchants = "\n".join(f"- {entry.merchant}: {entry.reason}" for entry in policy.blacklist)
    codes = "\n".join(f"- {code}: {reason}" for code, reason in policy.suspicious_codes.items())
    return "\n".join(
        [
            "Company rules:",
            *(f"- {rule}" for rule in _threshold_rules(policy.thresholds)),
            *(["Blacklisted merchants:", merchants] if merchants else []),
            *(["Suspicious transaction codes:", codes] if codes else []),
        ]
    )


def _threshold_rules(limits: Thresholds) -> list[str]:
    return [
        f"An amount of at least {limits.amount_ratio:g} times the customer's usual amount is suspicious.",
        f"Travel faster than {limits.speed_kmh:g} km/h over more than {limits.min_jump_km:g} km is impossible.",
        f"{limits.count_1h} transactions within an hour or {limits.count_24h} within a day are suspicious.",
        f"Payments of at most {limits.testing_amount:g} without the card in quick succession are card testing.",
        f"A card of at most {limits.young_card_days:g} days needs more care.",
        f"Payments between {limits.night_start} and {limits.night_end} o'clock are at night.",
        f"A merchant counts as blacklisted when its name is at least {limits.merchant_similarity:g}% alike.",
        "A note can explain what looks suspicious, or make a harmless payment suspicious.",
    ]
