"""One transaction as a short, stable sentence: what the model is trained on and asked about.

Changing a word here changes what every adapter has learned: raise `NARRATIVE_VERSION` with it.
"""

from __future__ import annotations

from tools.fraud.features import Features
from tools.fraud.transaction import Transaction
from tools.fraud.wording import plural, short

NARRATIVE_VERSION = 1
_MAX_DETAILS = 2
# Speed in classes: small models read large numbers badly.
_FLYING_KMH = 200.0
_IMPOSSIBLE_KMH = 900.0
_MAX_NAME_CHARS = 28
_MAX_DETAIL_CHARS = 16

_CHANNELS = {
    "pos": "card present",
    "ecommerce": "online",
    "atm": "cash machine",
    "contactless": "contactless",
    "moto": "phone order",
}


def narrate(transaction: Transaction, features: Features) -> str:
    """The transaction in words, derived facts first; at most about 90 tokens. Absent facts are left out."""
    parts = [
        *_money(transaction, features),
        *_company_facts(features),
        *_behaviour(transaction, features),
        *_place(transaction, features),
        *_details(transaction),
    ]
    return ", ".join(parts) + "."


def _money(transaction: Transaction, features: Features) -> list[str]:
    amount = f"{transaction.amount:.0f}" if transaction.amount >= 100 else f"{transaction.amount:.2f}"
    parts = [f"{amount} {transaction.currency}" if transaction.currency else f"Amount {amount}"]
    if features.amount_ratio is not None:
        parts.append(f"{_ratio(features.amount_ratio)} times the usual amount")
    if features.round_amount:
        parts.append("round amount")
    return parts


def _company_facts(features: Features) -> list[str]:
    parts = ["blacklisted merchant"] if features.blacklisted else []
    return [*parts, "suspicious code"] if features.code_reason is not None else parts


def _behaviour(transaction: Transaction, features: Features) -> list[str]:
    parts: list[str] = []
    if transaction.channel:
        parts.append(_CHANNELS[transaction.channel])
    if features.hour is not None:
        parts.append(f"{features.hour}h at night" if features.night else f"{features.hour}h")
    if transaction.card_age_days is not None:
        parts.append(f"card {_age(transaction.card_age_days)} old")
    # Words, since each digit of "24h" would be a token of its own.
    counts = [
        ("this hour", transaction.count_1h),
        ("today", transaction.count_24h),
        ("this week", transaction.count_7d),
    ]
    stated = [f"{count} {window}" for window, count in counts if count is not None]
    if stated:
        parts.append(" ".join(stated))
    return parts


def _place(transaction: Transaction, features: Features) -> list[str]:
    parts = [value[:_MAX_NAME_CHARS] for value in (transaction.merchant_category, transaction.merchant) if value]
    if transaction.first_time_merchant is not None:
        parts.append("new merchant" if transaction.first_time_merchant else "known merchant")
    if transaction.first_time_category is not None:
        parts.append("new category" if transaction.first_time_category else "known category")
    where = " ".join(value[:_MAX_NAME_CHARS] for value in (transaction.city, transaction.country) if value)
    if where:
        parts.append(where)
    if features.foreign is not None:
        parts.append("abroad" if features.foreign else "home country")
    if transaction.distance_from_last_km is not None:
        parts.append(f"{transaction.distance_from_last_km:.0f} km from the last")
    if features.speed_kmh is not None and features.speed_kmh >= _FLYING_KMH:
        parts.append("impossible travel" if features.speed_kmh >= _IMPOSSIBLE_KMH else "air travel")
    if transaction.transaction_code:
        parts.append(f"code {transaction.transaction_code[:12]}")
    return parts


def _details(transaction: Transaction) -> list[str]:
    chosen = list(transaction.details.items())[:_MAX_DETAILS]
    return [f"{name.replace('_', ' ')[:_MAX_DETAIL_CHARS]} {str(value)[:_MAX_DETAIL_CHARS]}" for name, value in chosen]


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 0.1 else short(ratio)


def _age(days: float) -> str:
    """Days below three months, then months, then years: few digits, since each is one token."""
    if days < 90:
        return plural(days, "day")
    return plural(round(days / 30.4), "month") if days < 730 else plural(round(days / 365.25), "year")
