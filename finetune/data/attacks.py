"""What fraudsters do with a customer's card. Every attack is a few purchases beside the customer's own."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from finetune.data.catalogue import BY_NAME
from finetune.data.genuine import PROCESSING_CODES
from finetune.data.places import ABROAD, City
from finetune.data.world import Customer, Event, World
from tools.fraud.transaction import Channel


def _buy(
    rng: random.Random,
    victim: Customer,
    world: World,
    moment: datetime,
    amount: float,
    categories: Sequence[str],
    channel: Channel,
    scenario: str,
    city: City | None = None,
    alerts: Sequence[str] = (),
) -> Event:
    """One fraudulent purchase; with `alerts` the platform noticed something in a third of the cases."""
    category = BY_NAME[rng.choice(categories)]
    plain = "TX-115" if channel == "ecommerce" and rng.random() < 0.5 else PROCESSING_CODES[channel]
    return Event(
        customer=victim,
        moment=moment,
        amount=round(max(0.5, amount), 2),
        currency=city.currency if city else victim.home.currency,
        merchant=rng.choice(world.merchants[category.name]),
        category=category.name,
        channel=channel,
        city=city,
        code=rng.choice(alerts) if alerts and rng.random() < 0.35 else plain if rng.random() < 0.86 else None,
        fraud=True,
        scenario=scenario,
    )


def _gaps(rng: random.Random, start: datetime, count: int, low: float, high: float) -> list[datetime]:
    """`count` moments from `start` on, `low` to `high` minutes apart."""
    moments = [start]
    while len(moments) < count:
        moments.append(moments[-1] + timedelta(minutes=rng.uniform(low, high)))
    return moments


def stolen_card(rng: random.Random, victim: Customer, world: World, start: datetime) -> list[Event]:
    """Taps just below the contactless limit, in quick succession, then something to sell."""
    taps = [
        _buy(rng, victim, world, moment, rng.uniform(24, 49.9), ("grocery", "fuel", "pharmacy", "clothing"),
             "contactless" if rng.random() < 0.85 else "pos", "stolen_card", victim.home, ("TX-701", "TX-703"))
        for moment in _gaps(rng, start, rng.randrange(3, 8), 2, 16)
    ]  # fmt: skip
    loot = taps[-1].moment + timedelta(minutes=rng.uniform(15, 90))
    ratio = rng.lognormvariate(1.8, 0.4)
    return [*taps, _buy(rng, victim, world, loot, victim.usual * ratio, ("electronics", "jewellery", "clothing"), "pos",
                        "stolen_card", victim.home, ("TX-701", "TX-702"))]  # fmt: skip


def account_takeover(rng: random.Random, victim: Customer, world: World, start: datetime) -> list[Event]:
    """A few large online orders of resaleable goods, often at night."""
    night = start.replace(hour=rng.randrange(0, 6)) if rng.random() < 0.5 else start
    goods = ("electronics", "jewellery", "gift vouchers", "online retail", "money transfer")
    return [
        _buy(rng, victim, world, moment, victim.usual * rng.lognormvariate(2.2, 0.5), goods, "ecommerce",
             "account_takeover", None, ("TX-705", "TX-706", "TX-707", "TX-708"))
        for moment in _gaps(rng, night, rng.randrange(1, 4), 10, 200)
    ]  # fmt: skip


def velocity_abuse(rng: random.Random, victim: Customer, world: World, start: datetime) -> list[Event]:
    """Stolen card data spent at many shops before the card is blocked."""
    goods = ("online retail", "gift vouchers", "clothing", "digital goods", "electronics")
    return [
        _buy(rng, victim, world, moment, victim.usual * rng.lognormvariate(0.6, 0.6), goods, "ecommerce",
             "velocity_abuse", None, ("TX-704", "TX-707"))
        for moment in _gaps(rng, start, rng.randrange(5, 12), 1, 9)
    ]  # fmt: skip


def card_testing(rng: random.Random, victim: Customer, world: World, start: datetime) -> list[Event]:
    """Tiny payments to see whether the card works, then one large order."""
    moments = _gaps(rng, start, rng.randrange(4, 10), 0.5, 4)
    tests = [
        _buy(rng, victim, world, moment, rng.uniform(0.5, 1.99), ("digital goods", "subscription", "gift vouchers"),
             "ecommerce", "card_testing", None, ("TX-704",))
        for moment in moments
    ]  # fmt: skip
    later = moments[-1] + timedelta(hours=rng.uniform(3, 20))
    ratio = rng.lognormvariate(2.2, 0.4)
    return [*tests, _buy(rng, victim, world, later, victim.usual * ratio, ("electronics", "gift vouchers"), "ecommerce",
                         "card_testing", None, ("TX-707",))]  # fmt: skip


def collusive_merchant(rng: random.Random, victim: Customer, world: World, start: datetime) -> list[Event]:
    """Round amounts keyed at one merchant that shares the money."""
    channel: Channel = rng.choice(("pos", "moto"))
    place = victim.home if channel == "pos" else None
    first = _buy(rng, victim, world, start, 100.0 * rng.randrange(3, 15), ("jewellery", "money transfer", "health"),
                 channel, "collusive_merchant", place)  # fmt: skip
    moments = _gaps(rng, start, rng.randrange(2, 5), 20, 600)[1:]
    return [first, *(replace(first, moment=moment, amount=100.0 * rng.randrange(3, 15)) for moment in moments)]


def cloned_card(rng: random.Random, victim: Customer, world: World, start: datetime) -> list[Event]:
    """Cash from machines in a country where the customer is not."""
    city = rng.choice(ABROAD)
    return [
        _buy(rng, victim, world, moment, 50.0 * rng.randrange(2, 9), ("cash",), "atm", "cloned_card", city,
             ("TX-702", "TX-709"))
        for moment in _gaps(rng, start, rng.randrange(1, 4), 2, 30)
    ]  # fmt: skip


Attack = Callable[[random.Random, Customer, World, datetime], list[Event]]
ATTACKS: tuple[Attack, ...] = (
    stolen_card,
    account_takeover,
    velocity_abuse,
    card_testing,
    collusive_merchant,
    cloned_card,
)
