"""The sample issuer's own rules (documents RR-01, MB-01 and TC-01) and the cases that only they decide."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from finetune.data.places import HOME_REGION
from tools.fraud.features import derive_features
from tools.fraud.policy import BlacklistedMerchant, FraudPolicy
from tools.fraud.transaction import Transaction

STOP_POINTS = 55
PASS_POINTS = 45
_DECLINED = ("F1", "F3", "F6")
_QUASI_CASH = frozenset({"gambling", "gift vouchers", "money transfer", "crypto"})
_ALERT_POINTS = {"TX-701": 100, "TX-702": 30, "TX-703": 80, "TX-704": 80, "TX-706": 35, "TX-707": 30, "TX-708": 80,
                 "TX-709": 60}  # fmt: skip
_TECHNICAL = ("TX-900", "TX-905", "TX-910", "TX-915", "TX-920", "TX-130", "TX-170")
_SELLS = {
    "GlimmerDeals": "online retail", "QuickPix": "gift vouchers", "Zephyr": "electronics", "Orbit": "money transfer",
    "Bargain": "clothing", "LuckySpin": "digital goods", "PrimeTicket": "travel", "Nightjar": "digital goods",
    "Solstice": "travel", "TechVault": "electronics", "Pelican": "money transfer", "Cobalt": "jewellery",
    "MegaStream": "subscription", "Fasttrack": "online retail", "Tundra": "electronics", "Velvet": "health",
    "Copperline": "fuel", "Harlequin": "digital goods",
}  # fmt: skip
_PLACELESS: dict[str, Any] = {"distance_from_last_km": None, "country": None, "city": None}
_ENDINGS = ("Coffee", "Bakery", "Bicycles", "Gardens", "Opticians", "Interiors", "Bookshop", "Brewery", "Flowers")


@dataclass(frozen=True)
class CompanyCase:
    """A transaction that a rule of the company decides, and which."""

    transaction: Transaction
    fraud: bool
    scenario: str


def rule_points(transaction: Transaction, policy: FraudPolicy) -> int:
    """Points (0 to 100) of the issuer's rule engine, from the rules that a single transaction can be checked for."""
    features = derive_features(transaction, policy)
    ratio, amount, code = features.amount_ratio or 0.0, transaction.amount, transaction.transaction_code
    points = 0
    if features.blacklisted is not None:
        points += 80 if features.blacklisted.entry.reason.startswith(_DECLINED) else 40
    points += 40 if ratio >= 10 else 25 if ratio >= 5 else 0
    points += 60 * _impossible(transaction, features.speed_kmh)
    points += 30 * ((transaction.count_1h or 0) >= 5) + 20 * ((transaction.count_24h or 0) >= 15)
    points += 15 * (transaction.country is not None and transaction.country not in HOME_REGION)
    points += 10 * bool(transaction.first_time_merchant and amount > 300)
    points += 15 * bool(transaction.first_time_category and ratio >= 3)
    points += 20 * ((transaction.card_age_days or 1000) < 30 and amount > 500)
    points += 20 * bool(transaction.channel == "atm" and features.night and features.foreign)
    points += _ALERT_POINTS.get(code or "", 30 if code == "TX-705" and amount > 100 else 0)
    points += 60 * ((transaction.count_1h or 0) >= 4 and amount < 2)
    points += 15 * (transaction.channel == "moto" and amount > 400)
    points += 15 * (transaction.merchant_category in _QUASI_CASH)
    return min(100, points)


def company_case(rng: random.Random, ordinary: Transaction, policy: FraudPolicy) -> CompanyCase | None:
    """Turn an ordinary genuine transaction into one that a company rule decides; None where no rule is clear.

    FRAUD from 55 points (a hold, a decline, or a step up with a further sign), LEGITIMATE up to 45.
    """
    change = rng.choices((_blacklisted, _alerted, _namesake, _technical, _tested), (40, 28, 14, 10, 8))[0]
    transaction, scenario = change(rng, ordinary, policy.blacklist)
    points = rule_points(transaction, policy)
    if PASS_POINTS < points < STOP_POINTS:
        return None
    return CompanyCase(transaction, points >= STOP_POINTS, scenario)


def _blacklisted(
    rng: random.Random, row: Transaction, blacklist: Sequence[BlacklistedMerchant]
) -> tuple[Transaction, str]:
    """A purchase at a merchant of the list, its name as terminals write it."""
    entry = rng.choice(blacklist)
    online = not entry.merchant.startswith(("Copperline", "Cobalt", "Pelican", "Orbit"))
    ratio = rng.uniform(0.3, 1.5) if rng.random() < 0.65 else rng.uniform(3, 14)
    facts: dict[str, Any] = {
        "merchant": rng.choice((entry.merchant, entry.merchant, f"{entry.merchant} Ltd", entry.merchant.upper())),
        "merchant_category": _SELLS[entry.merchant.split()[0]],
        "amount": round((row.customer_usual_amount or 40) * ratio, 2),
        "channel": "ecommerce" if online else "pos",
        "first_time_merchant": ratio >= 3 or rng.random() < 0.3,
        "first_time_category": ratio >= 3 or row.first_time_category,
        "transaction_code": rng.choice(("TX-110", "TX-115")) if online else "TX-100",
    }
    return row.model_copy(update=facts | (_PLACELESS if online else {})), "blacklist"


def _alerted(rng: random.Random, row: Transaction, blacklist: Sequence[BlacklistedMerchant]) -> tuple[Transaction, str]:
    """An alert code: the heavy ones decide alone, the light ones only with another sign."""
    light = rng.random() < 0.6
    code = rng.choice(("TX-702", "TX-705", "TX-706", "TX-707") if light else
                      ("TX-701", "TX-703", "TX-704", "TX-708", "TX-709"))  # fmt: skip
    ratio = rng.uniform(10, 18) if light and rng.random() < 0.4 else rng.uniform(0.3, 2)
    amount = round((row.customer_usual_amount or 40) * ratio, 2)
    return row.model_copy(update={"transaction_code": code, "amount": amount}), "alert_code"


def _namesake(
    rng: random.Random, row: Transaction, blacklist: Sequence[BlacklistedMerchant]
) -> tuple[Transaction, str]:
    """An honest merchant that shares a word with one of the list."""
    name = f"{rng.choice(blacklist).merchant.split()[0]} {rng.choice(_ENDINGS)}"
    return row.model_copy(update={"merchant": name, "first_time_merchant": rng.random() < 0.5}), "namesake"


def _technical(
    rng: random.Random, row: Transaction, blacklist: Sequence[BlacklistedMerchant]
) -> tuple[Transaction, str]:
    """A code that looks like an alert and says nothing about fraud."""
    return row.model_copy(update={"transaction_code": rng.choice(_TECHNICAL)}), "technical_code"


def _tested(rng: random.Random, row: Transaction, blacklist: Sequence[BlacklistedMerchant]) -> tuple[Transaction, str]:
    """Payments below 2 EUR in quick succession (rule R-18), or just as small ones with time between them."""
    fast = rng.random() < 0.6
    count = rng.randrange(4, 9) if fast else rng.randrange(1, 3)
    return row.model_copy(update={
        "amount": round(rng.uniform(0.6, 1.95), 2), "channel": "ecommerce", "merchant_category": "digital goods",
        "transaction_code": "TX-115", **_PLACELESS,
        "minutes_since_last": round(rng.uniform(0.5, 3) if fast else rng.uniform(60, 900), 1), "count_1h": count,
        "count_24h": max(count, row.count_24h or 0), "count_7d": max(count, row.count_7d or 0) + 1,
    }), "card_testing"  # fmt: skip


def _impossible(transaction: Transaction, speed_kmh: float | None) -> bool:
    return speed_kmh is not None and speed_kmh > 900 and (transaction.distance_from_last_km or 0) > 500
