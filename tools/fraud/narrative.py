"""One transaction as a short, stable sentence: what the model is trained on and asked about.

Changing a word here changes what every adapter has learned: raise `NARRATIVE_VERSION` with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tools.fraud.features import Features
from tools.fraud.fields import fold_name
from tools.fraud.transaction import Transaction
from tools.fraud.wording import plural, short, span

NARRATIVE_VERSION = 2
# Speed and ratio in classes too: small models read large numbers badly.
_FLYING_KMH = 200.0
_IMPOSSIBLE_KMH = 900.0
_HIGH_RATIO = 5.0
_EXTREME_RATIO = 10.0
_MAX_DETAILS = 2
_MAX_NAME_CHARS = 28
_MAX_DETAIL_CHARS = 16
_MAX_REASON_CHARS = 48
_MAX_NOTE_CHARS = 72

# Digits that a small model cannot use, and that would push out what it can.
_UNTOLD = frozenset(
    "lat long lon latitude longitude merch_lat merch_long merchant_lat merchant_long merch_zipcode zip zip_code "
    "postcode city_pop".split()
)
_CHANNELS = {
    "pos": "card present",
    "ecommerce": "online",
    "atm": "cash machine",
    "contactless": "contactless",
    "moto": "phone order",
}

Topic = Literal[
    "amount", "ratio", "round", "blacklist", "alert", "channel", "hour", "card_age", "counts", "category", "merchant",
    "first_merchant", "first_category", "where", "foreign", "travel", "speed", "code", "detail", "note",
]  # fmt: skip


@dataclass(frozen=True)
class Phrase:
    """One stated fact and what it is about."""

    topic: Topic
    text: str


def narrate(transaction: Transaction, features: Features) -> str:
    """The transaction in words, derived facts first; about 60 to 100 tokens. Absent facts are left out."""
    return ", ".join(phrase.text for phrase in phrases(transaction, features)) + "."


def phrases(transaction: Transaction, features: Features) -> list[Phrase]:
    """The facts of the narrative one by one, in the order in which it states them."""
    return [
        *_money(transaction, features),
        *_company_facts(features),
        *_behaviour(transaction, features),
        *_place(transaction, features),
        *_details(transaction),
    ]


def _money(transaction: Transaction, features: Features) -> list[Phrase]:
    amount = f"{transaction.amount:.0f}" if transaction.amount >= 100 else f"{transaction.amount:.2f}"
    found = [Phrase("amount", f"{amount} {transaction.currency}" if transaction.currency else f"Amount {amount}")]
    if features.amount_ratio is not None:
        found.append(Phrase("ratio", f"{_ratio(features.amount_ratio)} times the usual amount"))
    if features.round_amount:
        found.append(Phrase("round", "round amount"))
    return found


def _company_facts(features: Features) -> list[Phrase]:
    """The company's own signals with its own reasons, so that lists of other companies read alike."""
    found: list[Phrase] = []
    if features.blacklisted is not None:
        found.append(Phrase("blacklist", _with_reason("blacklisted merchant", features.blacklisted.entry.reason)))
    if features.code_reason is not None:
        found.append(Phrase("alert", _with_reason("suspicious code", features.code_reason)))
    return found


def _behaviour(transaction: Transaction, features: Features) -> list[Phrase]:
    found: list[Phrase] = []
    if transaction.channel:
        found.append(Phrase("channel", _CHANNELS[transaction.channel]))
    if features.hour is not None:
        found.append(Phrase("hour", f"{features.hour}h at night" if features.night else f"{features.hour}h"))
    if transaction.card_age_days is not None:
        found.append(Phrase("card_age", f"card {_age(transaction.card_age_days)} old"))
    # Words, since each digit of "24h" would be a token of its own.
    counts = [
        ("this hour", transaction.count_1h),
        ("today", transaction.count_24h),
        ("this week", transaction.count_7d),
    ]
    stated = [f"{count} {window}" for window, count in counts if count is not None]
    return [*found, Phrase("counts", " ".join(stated))] if stated else found


def _place(transaction: Transaction, features: Features) -> list[Phrase]:
    found: list[Phrase] = []
    if transaction.merchant_category:
        found.append(Phrase("category", transaction.merchant_category[:_MAX_NAME_CHARS]))
    if transaction.merchant:
        found.append(Phrase("merchant", transaction.merchant[:_MAX_NAME_CHARS]))
    if transaction.first_time_merchant is not None:
        found.append(Phrase("first_merchant", "new merchant" if transaction.first_time_merchant else "known merchant"))
    if transaction.first_time_category is not None:
        found.append(Phrase("first_category", "new category" if transaction.first_time_category else "known category"))
    where = " ".join(value[:_MAX_NAME_CHARS] for value in (transaction.city, transaction.country) if value)
    if where:
        found.append(Phrase("where", where))
    if features.foreign is not None:
        found.append(Phrase("foreign", "abroad" if features.foreign else "home country"))
    found += _travel(transaction, features)
    if transaction.transaction_code:
        found.append(Phrase("code", f"code {transaction.transaction_code[:12]}"))
    return found


def _travel(transaction: Transaction, features: Features) -> list[Phrase]:
    distance, minutes = transaction.distance_from_last_km, transaction.minutes_since_last
    far = [] if distance is None else [f"{distance:.0f} km from the last"]
    late = [] if minutes is None else [f"{span(minutes)} after the last" if distance is None else span(minutes)]
    found = [Phrase("travel", " in ".join(far + late))] if far or late else []
    if features.speed_kmh is not None and features.speed_kmh >= _FLYING_KMH:
        impossible = features.speed_kmh >= _IMPOSSIBLE_KMH
        found.append(Phrase("speed", "impossible travel" if impossible else "air travel"))
    return found


def _details(transaction: Transaction) -> list[Phrase]:
    telling = [(name, value) for name, value in transaction.details.items() if fold_name(name) not in _UNTOLD]
    found = [
        Phrase("detail", f"{name.replace('_', ' ')[:_MAX_DETAIL_CHARS]} {str(value)[:_MAX_DETAIL_CHARS]}")
        for name, value in telling[:_MAX_DETAILS]
    ]
    return [*found, Phrase("note", f"note: {transaction.note[:_MAX_NOTE_CHARS]}")] if transaction.note else found


def _with_reason(what: str, reason: str) -> str:
    return f"{what}: {reason[:_MAX_REASON_CHARS]}" if reason else what


def _ratio(ratio: float) -> str:
    """The number and, where it is large, how large in a word."""
    shown = f"{ratio:.2f}" if ratio < 0.1 else short(ratio)
    if ratio >= _EXTREME_RATIO:
        return f"extreme {shown}"
    return f"high {shown}" if ratio >= _HIGH_RATIO else shown


def _age(days: float) -> str:
    """Days below three months, then months, then years: few digits, since each is one token."""
    if days < 90:
        return plural(days, "day")
    return plural(round(days / 30.4), "month") if days < 730 else plural(round(days / 365.25), "year")
