"""Who lives in the simulated world: customers with habits and merchants, in the spirit of the Fraud Detection
Handbook (Le Borgne et al. 2022)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from finetune.data.catalogue import CATEGORIES
from finetune.data.places import HOMES, City
from tools.fraud.transaction import Channel

START = datetime(2026, 1, 5)
WARM_UP_DAYS = 28
DAYS = 70
_HOME_WEIGHTS = {"IE": 4, "FR": 2, "DE": 2, "ES": 1, "NL": 1}
_STAPLES = {"grocery", "restaurant", "online retail", "cash"}


@dataclass(frozen=True)
class Customer:
    """A cardholder's habits. `per_day` is the mean number of purchases, `spread` the log-normal spread of amounts,
    `hours` the waking hours, `favourites` the merchants gone to, by category."""

    customer_id: str
    home: City
    usual: float
    spread: float
    per_day: float
    hours: tuple[int, int]
    favourites: Mapping[str, tuple[str, ...]]
    card_born: datetime
    traveller: bool


@dataclass(frozen=True)
class Event:
    """One purchase as it happened, in Dublin time. `city` None means online; `scenario` names what made it."""

    customer: Customer
    moment: datetime
    amount: float
    currency: str
    merchant: str
    category: str
    channel: Channel
    city: City | None
    code: str | None
    fraud: bool
    scenario: str
    note: str | None = None
    ambiguous: bool = False


@dataclass(frozen=True)
class World:
    """Customers, and merchants' names by category; nothing of it occurs in another split's world.

    `all_wordings` lets notes use the wordings that are kept for the test.
    """

    customers: tuple[Customer, ...]
    merchants: Mapping[str, tuple[str, ...]]
    all_wordings: bool = False


def build_world(
    rng: random.Random, customers: range, names: Sequence[tuple[str, str]], *, all_wordings: bool = False
) -> World:
    """A world with these customer numbers and these (category, merchant name) pairs, at least one per category."""
    merchants = {c.name: tuple(name for category, name in names if category == c.name) for c in CATEGORIES}
    return World(tuple(_customer(rng, number, merchants) for number in customers), merchants, all_wordings)


def _customer(rng: random.Random, number: int, merchants: Mapping[str, tuple[str, ...]]) -> Customer:
    wanted = sorted({*rng.sample([c.name for c in CATEGORIES], rng.randrange(6, 11)), *_STAPLES})
    new_card = rng.random() < 0.12
    age = rng.triangular(1, 40, 12) if new_card else rng.triangular(60, 2200, 600)
    return Customer(
        customer_id=f"C-{10_000 + number}",
        home=rng.choices(HOMES, [_HOME_WEIGHTS[city.country] for city in HOMES])[0],
        usual=round(rng.lognormvariate(3.5, 0.5), 2),
        spread=rng.uniform(0.3, 0.6),
        per_day=rng.uniform(0.5, 2.2),
        hours=(11, 28) if rng.random() < 0.12 else (7, 23),
        favourites={name: tuple(rng.choices(merchants[name], k=3)) for name in wanted},
        card_born=START + timedelta(days=DAYS - 14 - age),
        traveller=rng.random() < 0.35,
    )
