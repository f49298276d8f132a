"""Simulate card transactions: customers with habits of their own, and fraud of the kinds the sample policies name."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

SEED = 20260
COUNT = 200
FRAUD_COUNT = 27
START = datetime(2026, 3, 9, tzinfo=UTC)
DAYS = 14

# Country, UTC offset in hours on the simulated days, currency, cities.
PLACES: dict[str, tuple[int, str, tuple[str, ...]]] = {
    "IE": (0, "EUR", ("Dublin", "Cork", "Galway", "Limerick")),
    "FR": (1, "EUR", ("Lyon", "Nantes", "Lille")),
    "DE": (1, "EUR", ("Leipzig", "Bremen", "Mainz")),
    "ES": (1, "EUR", ("Valencia", "Bilbao")),
    "NL": (1, "EUR", ("Utrecht", "Leiden")),
}
FAR_PLACES = (("BR", -3, "Recife", 7_300.0), ("TH", 7, "Bangkok", 9_800.0), ("ZA", 2, "Durban", 9_600.0))

# Category, channels that occur in it, share of the customer's usual amount, merchants.
CATEGORIES: dict[str, tuple[tuple[str, ...], float, tuple[str, ...]]] = {
    "grocery": (("contactless", "pos"), 0.9, ("Fennel & Rye Market", "Daybreak Grocers", "Corner Basket")),
    "restaurant": (("contactless", "pos"), 0.8, ("The Copper Ladle", "Noodle Harbour", "Cafe Aurelle")),
    "fuel": (("pos", "contactless"), 1.2, ("Greenlane Fuel", "Meridian Service Station")),
    "pharmacy": (("contactless", "pos"), 0.6, ("Wellspring Pharmacy", "Elder Street Chemist")),
    "clothing": (("pos", "ecommerce"), 1.7, ("Thistle & Thread", "Harbour Outfitters")),
    "subscription": (("ecommerce",), 0.4, ("Palette Music", "Readwell Magazines")),
    "books": (("ecommerce", "pos"), 0.6, ("Inkwell Books", "Paper Lantern Bookshop")),
    "travel": (("ecommerce", "moto"), 3.2, ("Riverline Rail", "Gannet Ferries")),
    "home_improvement": (("pos", "ecommerce"), 2.1, ("Hearth & Hammer", "Oakfield DIY")),
    "cash": (("atm",), 1.6, ("Larkmoor ATM", "Quayside ATM")),
}
BLACKLIST_CATEGORIES = {"F1": "electronics", "F2": "jewellery", "F3": "digital_goods", "F4": "online_retail",
                        "F5": "online_services", "F6": "fuel"}  # fmt: skip
CODES = {"pos": "TX-100", "contactless": "TX-105", "ecommerce": "TX-110", "moto": "TX-120", "atm": "TX-140"}

Label = Literal["FRAUD", "LEGITIMATE"]


@dataclass(frozen=True)
class Transaction:
    """One row of `transactions.jsonl`; money in units of `currency`, distances in km, counts include this one."""

    transaction_id: str
    timestamp: str
    amount: float
    currency: str
    merchant: str
    merchant_category: str
    channel: str
    country: str
    city: str
    customer_id: str
    customer_home_country: str
    customer_usual_amount: float
    distance_from_last_km: float
    minutes_since_last: int
    count_1h: int
    count_24h: int
    count_7d: int
    first_time_merchant: bool
    first_time_category: bool
    card_age_days: int
    transaction_code: str | None
    label: Label


@dataclass(frozen=True)
class Customer:
    """A cardholder's habits."""

    customer_id: str
    home: str
    city: str
    usual_amount: float
    card_age_days: int
    categories: tuple[str, ...]


@dataclass(frozen=True)
class BlacklistedMerchant:
    """A merchant of the issuer's blacklist and the category it sells in."""

    name: str
    category: str


def write_transactions(blacklist: Path, target: Path) -> None:
    """Write `COUNT` transactions as JSON lines, ordered by time; the same bytes on every run."""
    rows = simulate(_read_blacklist(blacklist))
    target.write_text("".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def simulate(blacklist: Sequence[BlacklistedMerchant]) -> list[Transaction]:
    """Simulate `COUNT` transactions, `FRAUD_COUNT` of them fraud, ordered by time."""
    rng = random.Random(SEED)
    customers = [_customer(rng, number) for number in range(1, 41)]
    rows = [_habit(rng, rng.choice(customers)) for _ in range(COUNT)]
    chosen = sorted(rng.sample(range(COUNT), FRAUD_COUNT))
    for turn, index in enumerate(chosen):
        attack = ATTACKS[turn % len(ATTACKS)]
        rows[index] = replace(attack(rng, rows[index], blacklist), label="FRAUD")
    for index in rng.sample(sorted(set(range(COUNT)) - set(chosen)), 18):
        rows[index] = _unusual_but_honest(rng, rows[index])
    rows.sort(key=lambda row: datetime.fromisoformat(row.timestamp))
    return [replace(row, transaction_id=f"LKT-{260300000 + 37 * number}") for number, row in enumerate(rows, start=1)]


def _read_blacklist(path: Path) -> list[BlacklistedMerchant]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            BlacklistedMerchant(row["merchant"], BLACKLIST_CATEGORIES[row["reason"][:2]])
            for row in csv.DictReader(file)
        ]


def _customer(rng: random.Random, number: int) -> Customer:
    home = rng.choices(list(PLACES), weights=(5, 2, 2, 1, 1))[0]
    return Customer(
        customer_id=f"C-{71000 + 13 * number}",
        home=home,
        city=rng.choice(PLACES[home][2]),
        usual_amount=round(rng.lognormvariate(3.7, 0.45), 2),
        card_age_days=int(rng.triangular(20, 1_900, 500)),
        categories=tuple(sorted(rng.sample(list(CATEGORIES), 6))),
    )


def _habit(rng: random.Random, customer: Customer) -> Transaction:
    """A purchase as this customer usually makes them."""
    category = rng.choice(customer.categories)
    channels, share, merchants = CATEGORIES[category]
    channel = rng.choice(channels)
    day = rng.randrange(2, 6)
    return Transaction(
        transaction_id="",
        timestamp=_moment(rng, PLACES[customer.home][0], range(7, 23)),
        amount=round(customer.usual_amount * share * rng.lognormvariate(0, 0.35), 2),
        currency=PLACES[customer.home][1],
        merchant=rng.choice(merchants),
        merchant_category=category,
        channel=channel,
        country=customer.home,
        city=customer.city,
        customer_id=customer.customer_id,
        customer_home_country=customer.home,
        customer_usual_amount=customer.usual_amount,
        distance_from_last_km=round(rng.expovariate(1 / 6), 1),
        minutes_since_last=int(rng.triangular(70, 3_000, 500)),
        count_1h=1,
        count_24h=day - 1,
        count_7d=day + rng.randrange(3, 14),
        first_time_merchant=rng.random() < 0.12,
        first_time_category=False,
        card_age_days=customer.card_age_days,
        transaction_code=CODES[channel] if rng.random() < 0.8 else None,
        label="LEGITIMATE",
    )


def _moment(rng: random.Random, offset_hours: int, hours: range) -> str:
    local = timezone(timedelta(hours=offset_hours))
    day = START + timedelta(days=rng.randrange(DAYS))
    moment = day.replace(hour=rng.choice(hours), minute=rng.randrange(60), second=rng.randrange(60), tzinfo=local)
    return moment.isoformat()


def _unusual_but_honest(rng: random.Random, row: Transaction) -> Transaction:
    """A holiday, a big purchase or a busy shopping day: looks odd in one respect, and is the customer's own."""
    kind = rng.randrange(3)
    if kind == 0:
        country = rng.choice([place for place in PLACES if place != row.customer_home_country])
        offset, currency, cities = PLACES[country]
        return replace(row, country=country, city=rng.choice(cities), currency=currency, first_time_merchant=True,
                       timestamp=_moment(rng, offset, range(9, 22)), minutes_since_last=rng.randrange(600, 2_400),
                       distance_from_last_km=round(rng.uniform(500, 1_600), 1))  # fmt: skip
    if kind == 1:
        amount = round(row.customer_usual_amount * rng.uniform(4, 7), 2)
        return replace(row, amount=amount, merchant="Hearth & Hammer", merchant_category="home_improvement",
                       channel="pos", transaction_code="TX-100", first_time_merchant=True)  # fmt: skip
    return replace(row, count_1h=rng.randrange(2, 4), count_24h=rng.randrange(6, 9), count_7d=rng.randrange(11, 19),
                   minutes_since_last=rng.randrange(12, 50))  # fmt: skip


def _online(row: Transaction, merchant: BlacklistedMerchant, amount: float) -> Transaction:
    return replace(row, merchant=merchant.name, merchant_category=merchant.category, amount=round(amount, 2),
                   channel="ecommerce", transaction_code="TX-115", first_time_merchant=True,
                   first_time_category=merchant.category not in CATEGORIES)  # fmt: skip


def _blacklisted_purchase(
    rng: random.Random, row: Transaction, blacklist: Sequence[BlacklistedMerchant]
) -> Transaction:
    merchant = rng.choice([entry for entry in blacklist if entry.category not in ("fuel", "digital_goods")])
    return _online(row, merchant, row.customer_usual_amount * rng.uniform(2.5, 9))


def _card_testing(rng: random.Random, row: Transaction, blacklist: Sequence[BlacklistedMerchant]) -> Transaction:
    merchant = rng.choice([entry for entry in blacklist if entry.category == "digital_goods"])
    count = rng.randrange(6, 14)
    return replace(_online(row, merchant, rng.uniform(0.5, 1.95)), count_1h=count, count_24h=count + 1,
                   count_7d=count + rng.randrange(4, 12), minutes_since_last=rng.randrange(0, 3),
                   transaction_code="TX-704", distance_from_last_km=0.0)  # fmt: skip


def _taken_over(rng: random.Random, row: Transaction, blacklist: Sequence[BlacklistedMerchant]) -> Transaction:
    """A big first purchase right after the contact details changed."""
    shop = BlacklistedMerchant("Summit Handheld Store", "electronics")
    taken = _online(row, shop, row.customer_usual_amount * rng.uniform(8, 22))
    return replace(taken, transaction_code=rng.choice(("TX-705", "TX-706", "TX-708")),
                   timestamp=_moment(rng, PLACES[row.customer_home_country][0], range(0, 6)))  # fmt: skip


def _impossible_travel(rng: random.Random, row: Transaction, blacklist: Sequence[BlacklistedMerchant]) -> Transaction:
    country, offset, city, distance = rng.choice(FAR_PLACES)
    return replace(
        row,
        timestamp=_moment(rng, offset, range(0, 6)),
        amount=float(rng.choice((200, 300, 400))),
        merchant="Avenida Cash Point",
        merchant_category="cash",
        channel="atm",
        country=country,
        city=city,
        distance_from_last_km=round(distance + rng.uniform(-200, 200), 1),
        minutes_since_last=rng.randrange(18, 58),
        count_1h=2,
        count_24h=max(2, row.count_24h),
        first_time_merchant=True,
        transaction_code=rng.choice(("TX-702", "TX-709")),
    )


def _stolen_card(rng: random.Random, row: Transaction, blacklist: Sequence[BlacklistedMerchant]) -> Transaction:
    """A burst of contactless purchases just below the limit of a single tap."""
    count = rng.randrange(5, 8)
    return replace(
        row,
        amount=round(rng.uniform(38, 49.9), 2),
        merchant=rng.choice(CATEGORIES["grocery"][2]),
        merchant_category="grocery",
        channel="contactless",
        minutes_since_last=rng.randrange(1, 9),
        count_1h=count,
        count_24h=count + rng.randrange(1, 4),
        count_7d=count + rng.randrange(4, 12),
        first_time_merchant=True,
        transaction_code=rng.choice(("TX-701", "TX-105")),
    )


Attack = Callable[[random.Random, Transaction, Sequence[BlacklistedMerchant]], Transaction]
ATTACKS: tuple[Attack, ...] = (_blacklisted_purchase, _card_testing, _taken_over, _impossible_travel, _stolen_card)
