"""What customers do themselves: everyday purchases, trips, big purchases and busy days."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta

from finetune.data.catalogue import pick_category
from finetune.data.places import ABROAD, City
from finetune.data.world import DAYS, START, Customer, Event, World
from tools.fraud.history import distance_km
from tools.fraud.transaction import Channel

PROCESSING_CODES: dict[Channel, str] = {
    "pos": "TX-100", "contactless": "TX-105", "ecommerce": "TX-110", "moto": "TX-120", "atm": "TX-140",
}  # fmt: skip
_CONTACTLESS_LIMIT = 50.0
_FASTEST_TRIP_KMH = 600.0


def live(rng: random.Random, customer: Customer, world: World) -> list[Event]:
    """All genuine purchases of one customer, in time order, without journeys faster than an aeroplane."""
    trips = _trips(rng, customer)
    events = [event for day in range(DAYS) for event in _day(rng, customer, world, day, trips.get(day))]
    events.sort(key=lambda event: event.moment)
    return _without_impossible(events)


def purchase(
    rng: random.Random, customer: Customer, world: World, moment: datetime, city: City, scenario: str
) -> Event:
    """One purchase as this customer makes them, in this city or online."""
    category = pick_category(rng, list(customer.favourites))
    channel = rng.choice(category.channels)
    away = city != customer.home and channel != "ecommerce"
    known = rng.random() < (0.2 if away else 0.85)
    merchant = rng.choice(customer.favourites[category.name] if known else world.merchants[category.name])
    amount = customer.usual * category.share * rng.lognormvariate(0, customer.spread)
    if rng.random() < 0.02:
        amount, scenario = amount * rng.uniform(3, 8), "big_purchase"
    if channel == "atm":
        amount = max(20, round(amount / 10) * 10)
    if channel == "contactless" and amount > _CONTACTLESS_LIMIT:
        channel = "pos" if "pos" in category.channels else channel
    online = channel in ("ecommerce", "moto")
    return Event(
        customer=customer,
        moment=moment,
        amount=round(max(amount, 0.5), 2),
        currency=customer.home.currency if online else city.currency,
        merchant=merchant,
        category=category.name,
        channel=channel,
        city=None if online else city,
        code=_code(rng, channel, category.name),
        fraud=False,
        scenario=scenario,
    )


def _day(rng: random.Random, customer: Customer, world: World, day: int, trip: City | None) -> list[Event]:
    city = trip or customer.home
    scenario = "travel" if trip else "everyday"
    count = _poisson(rng, customer.per_day * (1.6 if trip else 1.0))
    events = [purchase(rng, customer, world, _moment(rng, customer, day, city), city, scenario) for _ in range(count)]
    if rng.random() < 0.025:
        events += _busy_hours(rng, customer, world, _moment(rng, customer, day, city), city)
    return events


def _busy_hours(rng: random.Random, customer: Customer, world: World, start: datetime, city: City) -> list[Event]:
    """A shopping round: several purchases within an hour or two."""
    gaps = [timedelta(minutes=rng.uniform(4, 28)) for _ in range(rng.randrange(3, 8))]
    moments = [start + sum(gaps[:number], timedelta()) for number in range(len(gaps))]
    return [purchase(rng, customer, world, moment, city, "busy_day") for moment in moments]


def _trips(rng: random.Random, customer: Customer) -> dict[int, City]:
    """Where the customer is on days away from home."""
    away: dict[int, City] = {}
    for _ in range(rng.randrange(1, 4) if customer.traveller else 0):
        city, first = rng.choice(ABROAD), rng.randrange(DAYS)
        away |= dict.fromkeys(range(first, min(DAYS, first + rng.randrange(2, 9))), city)
    return away


def _moment(rng: random.Random, customer: Customer, day: int, city: City) -> datetime:
    first, last = customer.hours
    return START + timedelta(days=day, hours=rng.triangular(first, last, (first + last) / 2 + 1) - city.clock)


def _without_impossible(events: list[Event]) -> list[Event]:
    """Drop purchases that would need a faster journey than a flight with its waiting times."""
    kept: list[Event] = []
    last: Event | None = None
    for event in events:
        if event.city is None:
            kept.append(event)
        elif last is None or last.city is None or _reachable(last, event):
            kept.append(event)
            last = event
    return kept


def _reachable(last: Event, event: Event) -> bool:
    if last.city is None or event.city is None or last.city == event.city:
        return True
    hours = (event.moment - last.moment).total_seconds() / 3600
    return distance_km(last.city.position, event.city.position) / max(hours - 1, 0.1) < _FASTEST_TRIP_KMH


def _code(rng: random.Random, channel: Channel, category: str) -> str | None:
    """The processing code; now and then a harmless alert code, and none in one row of seven."""
    draw = rng.random()
    if draw < 0.14:
        return None
    if draw < 0.17 and channel == "ecommerce":
        return rng.choice(("TX-705", "TX-706", "TX-707"))
    if draw < 0.145 and channel == "pos":
        return "TX-702"
    if category == "subscription":
        return "TX-130"
    if category in ("gift vouchers", "money transfer"):
        return "TX-160"
    if channel == "ecommerce":
        return rng.choices(("TX-110", "TX-115"), (3, 1))[0]
    return PROCESSING_CODES[channel]


def _poisson(rng: random.Random, mean: float) -> int:
    """A Poisson draw (Knuth), for small means."""
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count
