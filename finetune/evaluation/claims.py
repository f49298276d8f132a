"""What each red flag says in words, checked against the transaction by another way than the rule's own.

A number in a reason is checked by `explanations`; here is the rest: that it was night, that the card was not present,
that the merchant is the one on the list. A flag without a claim here counts as untrue.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher

from tools.fraud.flags import Flag
from tools.fraud.instructions import speaks_to_the_model
from tools.fraud.policy import FraudPolicy, normalise_merchant
from tools.fraud.transaction import Transaction
from tools.fraud.wording import plural

_FREE_TEXT = ("merchant", "merchant_category", "city", "country", "transaction_code", "note")
_REMOTE = ("ecommerce", "moto")
_ALIKE = 0.85


@dataclass(frozen=True)
class Claim:
    """`holds`: whether the facts say so. `names`: what the reason has to repeat of the transaction, else nothing."""

    holds: Callable[[Transaction, FraudPolicy], bool]
    names: Callable[[Transaction, FraudPolicy], tuple[str | None, ...]] = lambda row, policy: ()


def claim_holds(flag: Flag, transaction: Transaction, policy: FraudPolicy) -> bool:
    """Whether what a flag says in words is true of the transaction, and of none of its other facts."""
    claim = CLAIMS.get(flag.code)
    if claim is None or not claim.holds(transaction, policy):
        return False
    return all(name is not None and _says(flag.evidence, name) for name in claim.names(transaction, policy))


def _says(evidence: str, name: str) -> bool:
    """Whole words and numbers only: 16 transactions are not 6."""
    return re.search(rf"(?<![\w.,]){re.escape(name)}(?!\w)", evidence) is not None


def _closest_listed(row: Transaction, policy: FraudPolicy) -> str | None:
    """The listed merchant whose name is most like this one's, by longest common runs rather than by edits."""
    name = normalise_merchant(row.merchant or "").replace(" ", "")
    alike = {
        entry.merchant: SequenceMatcher(None, name, normalise_merchant(entry.merchant).replace(" ", "")).ratio()
        for entry in policy.blacklist
    }
    closest = max(alike, key=lambda merchant: alike[merchant], default=None)
    return closest if closest is not None and alike[closest] >= _ALIKE else None


def _listed_code(row: Transaction, policy: FraudPolicy) -> bool:
    letters = [char for char in (row.transaction_code or "").upper() if char.isalnum()]
    return letters in [[char for char in code if char.isalnum()] for code in policy.suspicious_codes]


def _instructed(row: Transaction, _: FraudPolicy) -> bool:
    texts = [str(getattr(row, name)) for name in _FREE_TEXT if getattr(row, name) is not None]
    texts += [f"{name.replace('_', ' ')} {value}" for name, value in row.details.items()]
    return any(speaks_to_the_model(text) for text in texts)


def _travelled(row: Transaction, policy: FraudPolicy) -> bool:
    distance, minutes = row.distance_from_last_km, row.minutes_since_last
    if distance is None or minutes is None or distance < policy.thresholds.min_jump_km:
        return False
    return distance >= policy.thresholds.speed_kmh * max(minutes, 1) / 60


def _tested(row: Transaction, policy: FraudPolicy) -> bool:
    return _remote(row, policy) and _hourly(row, policy) and row.amount <= policy.thresholds.testing_amount


def _far_above(row: Transaction, policy: FraudPolicy) -> bool:
    usual = row.customer_usual_amount
    return usual is not None and usual > 0 and row.amount >= policy.thresholds.amount_ratio * usual


def _hourly(row: Transaction, policy: FraudPolicy) -> bool:
    return (row.count_1h or 0) >= policy.thresholds.count_1h


def _daily(row: Transaction, policy: FraudPolicy) -> bool:
    return (row.count_24h or 0) >= policy.thresholds.count_24h


def _young(row: Transaction, policy: FraudPolicy) -> bool:
    return row.card_age_days is not None and row.card_age_days <= policy.thresholds.young_card_days


def _abroad(row: Transaction, _: FraudPolicy) -> bool:
    return None not in (row.country, row.customer_home_country) and row.country != row.customer_home_country


def _night(row: Transaction, policy: FraudPolicy) -> bool:
    hours = range(policy.thresholds.night_start, policy.thresholds.night_end + 1)
    return row.time_of_day is not None and row.time_of_day.hour in hours


def _remote(row: Transaction, _: FraudPolicy) -> bool:
    return row.channel in _REMOTE


def _round(row: Transaction, policy: FraudPolicy) -> bool:
    return row.amount >= policy.thresholds.round_amount and (row.amount / 100).is_integer()


CLAIMS: dict[str, Claim] = {
    "blacklisted_merchant": Claim(
        lambda row, policy: _closest_listed(row, policy) is not None,
        lambda row, policy: (row.merchant, f"blacklisted as {_closest_listed(row, policy)}"),
    ),
    "suspicious_code": Claim(_listed_code, lambda row, _: (row.transaction_code,)),
    "instruction_in_text": Claim(_instructed),
    "impossible_travel": Claim(_travelled),
    "card_testing": Claim(_tested, lambda row, _: (f"number {row.count_1h} within an hour",)),
    "amount_far_above_usual": Claim(_far_above),
    "velocity_1h": Claim(_hourly, lambda row, _: (f"{row.count_1h} transactions",)),
    "velocity_24h": Claim(_daily, lambda row, _: (f"{row.count_24h} transactions",)),
    "young_card": Claim(_young, lambda row, _: (plural(row.card_age_days or 0, "day"),)),
    "foreign_country": Claim(_abroad, lambda row, _: (row.country, row.customer_home_country)),
    "night_time": Claim(_night),
    "new_merchant": Claim(lambda row, _: row.first_time_merchant is True),
    "new_category": Claim(lambda row, _: row.first_time_category is True),
    "card_not_present": Claim(_remote, lambda row, _: (row.channel,)),
    "round_amount": Claim(_round),
}
"""By the code of the rule; every rule has one."""
