"""Borderline purchases: the same facts happen to honest customers and to victims, and only the context decides."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

from finetune.data.genuine import purchase
from finetune.data.notes import Situation, write_note
from finetune.data.places import ABROAD, HOMES
from finetune.data.world import Customer, Event, World

MISLEADING = 0.03
UNSAMPLED = "unsampled"
_FRAUD_SHARE = 0.5
_SCENARIOS: dict[Situation, tuple[str, str]] = {
    "away": ("travel_false_alarm", "stolen_card"),
    "online": ("big_purchase", "account_takeover"),
    "burst": ("busy_day", "velocity_abuse"),
}


def borderline(rng: random.Random, customer: Customer, world: World, moment: datetime) -> list[Event]:
    """One borderline purchase with its note, after the purchases that lead up to it.

    In 3 of 100 the note misleads, as notes do; the label stays with what happened.
    """
    situation: Situation = rng.choice(("away", "online", "burst"))
    fraud = rng.random() < _FRAUD_SHARE
    events = _SITUATIONS[situation](rng, customer, world, moment)
    last = events[-1]
    note = context_note(rng, world, last, situation, honest=fraud == (rng.random() < MISLEADING))
    honest, crime = _SCENARIOS[situation]
    decided = replace(last, fraud=fraud, scenario=crime if fraud else honest, note=note, ambiguous=True)
    return [*(replace(event, fraud=fraud, scenario=UNSAMPLED) for event in events[:-1]), decided]


def context_note(rng: random.Random, world: World, event: Event, situation: Situation, *, honest: bool) -> str:
    """A note on this purchase that speaks for the cardholder or against."""
    home = event.customer.home
    here = event.city or home
    other = home if here != home else rng.choice([place for place in HOMES if place != home])
    return write_note(rng, situation, honest=honest, here=here.name, other=other.name, all_wordings=world.all_wordings)


def _away(rng: random.Random, customer: Customer, world: World, moment: datetime) -> list[Event]:
    """A purchase with the card in another country, at one to five times the usual amount."""
    city = rng.choice([place for place in (*ABROAD, *HOMES) if place.country != customer.home.country])
    bought = purchase(rng, customer, world, moment, city, UNSAMPLED)
    channel = bought.channel if bought.city else "pos"
    merchant = rng.choice(world.merchants[bought.category])
    amount = round(customer.usual * rng.lognormvariate(0.8, 0.5), 2)
    return [replace(bought, amount=amount, city=city, currency=city.currency, channel=channel, merchant=merchant,
                    code=rng.choice(("TX-100", None)) if channel == "pos" else bought.code)]  # fmt: skip


def _online(rng: random.Random, customer: Customer, world: World, moment: datetime) -> list[Event]:
    """A large order at a shop that is new to the customer."""
    category = rng.choice(("electronics", "jewellery", "online retail", "hotel", "travel"))
    amount = round(customer.usual * rng.lognormvariate(1.9, 0.4), 2)
    bought = purchase(rng, customer, world, moment, customer.home, UNSAMPLED)
    return [replace(bought, amount=amount, category=category, merchant=rng.choice(world.merchants[category]),
                    channel="ecommerce", city=None, currency=customer.home.currency,
                    code=rng.choice(("TX-110", "TX-115", "TX-705", "TX-706", None)))]  # fmt: skip


def _burst(rng: random.Random, customer: Customer, world: World, moment: datetime) -> list[Event]:
    """Five to seven purchases within the hour in the customer's own city."""
    events: list[Event] = []
    for _ in range(rng.randrange(5, 8)):
        category = rng.choice(("grocery", "clothing", "pharmacy", "restaurant"))
        bought = purchase(rng, customer, world, moment, customer.home, UNSAMPLED)
        amount = round(min(49.9, max(3.0, customer.usual * rng.uniform(0.4, 1.3))), 2)
        events.append(replace(bought, amount=amount, category=category, merchant=rng.choice(world.merchants[category]),
                              channel="contactless", city=customer.home, currency=customer.home.currency,
                              code="TX-105"))  # fmt: skip
        moment += timedelta(minutes=rng.uniform(2, 10))
    return events


_SITUATIONS = {"away": _away, "online": _online, "burst": _burst}
