"""Facts derived from a transaction: the features that the narrative, the flags and the trainer share."""

from __future__ import annotations

from dataclasses import dataclass

from tools.fraud.policy import BlacklistMatch, FraudPolicy
from tools.fraud.transaction import Transaction

_MIN_RATIO_BASE = 0.01
_MIN_TRAVEL_MINUTES = 1.0


@dataclass(frozen=True)
class Features:
    """Derived facts; None means that the transaction does not say.

    `amount_ratio` is amount / usual amount, `hour` the local hour (0 to 23), `speed_kmh` the speed needed to get here
    from the last transaction. Counts, firsts and card age stand in the transaction itself.
    """

    amount_ratio: float | None
    hour: int | None
    night: bool | None
    foreign: bool | None
    speed_kmh: float | None
    young_card: bool | None
    round_amount: bool
    card_not_present: bool | None
    blacklisted: BlacklistMatch | None
    code_reason: str | None


def derive_features(transaction: Transaction, policy: FraudPolicy) -> Features:
    """Compute the features of one transaction under the company's policy."""
    limits = policy.thresholds
    usual = transaction.customer_usual_amount
    hour = transaction.time_of_day.hour if transaction.time_of_day else None
    age = transaction.card_age_days
    return Features(
        amount_ratio=transaction.amount / usual if usual is not None and usual >= _MIN_RATIO_BASE else None,
        hour=hour,
        night=None if hour is None else limits.night_start <= hour <= limits.night_end,
        foreign=_foreign(transaction),
        speed_kmh=_speed(transaction),
        young_card=None if age is None else age <= limits.young_card_days,
        round_amount=transaction.amount >= limits.round_amount and transaction.amount % 100 == 0,
        card_not_present=None if transaction.channel is None else transaction.channel in ("ecommerce", "moto"),
        blacklisted=policy.find_blacklisted(transaction.merchant) if transaction.merchant else None,
        code_reason=policy.suspicious_code(transaction.transaction_code) if transaction.transaction_code else None,
    )


def _foreign(transaction: Transaction) -> bool | None:
    home, here = transaction.customer_home_country, transaction.country
    return None if home is None or here is None else home != here


def _speed(transaction: Transaction) -> float | None:
    """Kilometres per hour since the last transaction; a gap below one minute counts as one."""
    distance, minutes = transaction.distance_from_last_km, transaction.minutes_since_last
    if distance is None or minutes is None:
        return None
    return distance / max(minutes, _MIN_TRAVEL_MINUTES) * 60
