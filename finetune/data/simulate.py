"""Labelled transactions of a simulated world: events in time order, seen with the history of their card."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from finetune.data.ambiguous import MISLEADING, UNSAMPLED, borderline, context_note
from finetune.data.attacks import ATTACKS
from finetune.data.company import company_case
from finetune.data.genuine import live
from finetune.data.notes import Situation, neutral_note
from finetune.data.world import DAYS, START, WARM_UP_DAYS, Customer, Event, World
from tools.fraud.features import derive_features
from tools.fraud.flags import heuristic_score, raise_flags
from tools.fraud.history import CardHistory, HistoryFacts, Position, Purchase
from tools.fraud.policy import FraudPolicy
from tools.fraud.transaction import Transaction

Kind = Literal["clear_fraud", "clear_legitimate", "borderline", "company"]
KINDS: tuple[Kind, ...] = ("clear_fraud", "clear_legitimate", "borderline", "company")

_ATTACKED = 0.6
_STRONG_POINTS = 30
_MAX_FRAUD_ROWS = 3
_EVERYDAY_ROWS = 5
_COMPANY_ROWS = 2
_NOTED = 0.35
_MISLED_CLEAR = 0.08
_IMPOSSIBLE_KMH = 850.0


Seen = tuple[Event, HistoryFacts]


@dataclass(frozen=True)
class Case:
    """A labelled transaction. `scenario` names the process that made it, `kind` how it can be decided."""

    transaction: Transaction
    fraud: bool
    kind: Kind
    scenario: str
    customer: str


def simulate(rng: random.Random, world: World, policy: FraudPolicy) -> Iterator[Case]:
    """The sampled cases of every customer, customer by customer."""
    for customer in world.customers:
        timeline = _timeline(rng, customer, world)
        seen = list(_with_history(rng, timeline))
        yield from _sample(rng, world, customer, seen, policy)


def _timeline(rng: random.Random, customer: Customer, world: World) -> list[Event]:
    events = live(rng, customer, world)
    if rng.random() < _ATTACKED:
        events += rng.choice(ATTACKS)(rng, customer, world, _later(rng, 6))
    for _ in range(rng.randrange(1, 4)):
        events += borderline(rng, customer, world, _later(rng, 2))
    return sorted((e for e in events if e.moment >= customer.card_born), key=lambda event: event.moment)


def _later(rng: random.Random, margin_days: int) -> datetime:
    """A moment of the day after the warm-up, by the clock of waking people."""
    day = rng.randrange(WARM_UP_DAYS, DAYS - margin_days)
    return START + timedelta(days=day, hours=rng.triangular(8, 23.5, 17))


def _with_history(rng: random.Random, events: Sequence[Event]) -> Iterator[Seen]:
    """Events after the warm-up, each with what its card's past says."""
    history = CardHistory()
    for event in events:
        position = None
        if event.city is not None:
            home = event.city.position
            position = Position(home.latitude + rng.gauss(0, 0.03), home.longitude + rng.gauss(0, 0.04))
        facts = history.observe(Purchase(event.moment, event.amount, event.merchant, event.category, position))
        if event.moment < START + timedelta(days=WARM_UP_DAYS) or event.scenario == UNSAMPLED:
            continue
        yield event, facts


def _transaction(event: Event, facts: HistoryFacts) -> Transaction:
    local = (event.moment + timedelta(hours=event.city.clock if event.city else 0)).replace(microsecond=0)
    return Transaction(
        timestamp=local,
        time_of_day=local.time(),
        amount=event.amount,
        currency=event.currency,
        merchant=event.merchant,
        merchant_category=event.category,
        channel=event.channel,
        country=event.city.country if event.city else None,
        city=event.city.name if event.city else None,
        customer_id=event.customer.customer_id,
        customer_home_country=event.customer.home.country,
        card_age_days=(event.moment - event.customer.card_born).days,
        transaction_code=event.code,
        note=event.note,
        **vars(facts),
    )


def _sample(
    rng: random.Random,
    world: World,
    customer: Customer,
    seen: Sequence[Seen],
    policy: FraudPolicy,
) -> Iterator[Case]:
    """A few rows of each sort, so that no customer outweighs the others."""
    sorts: dict[str, list[Seen]] = defaultdict(list)
    for event, facts in seen:
        sorts["ambiguous" if event.ambiguous else "fraud" if event.fraud else event.scenario].append((event, facts))
    chosen = [*sorts["ambiguous"], *_some(rng, sorts["fraud"], _MAX_FRAUD_ROWS)]
    chosen += _some(rng, sorts["everyday"], _EVERYDAY_ROWS)
    for scenario in ("travel", "big_purchase", "busy_day"):
        chosen += _some(rng, sorts[scenario], 1)
    for event, facts in chosen:
        case = _case(rng, world, event, _transaction(event, facts), policy)
        if case is not None:
            yield case
    for event, facts in _some(rng, sorts["everyday"], _COMPANY_ROWS):
        decided = company_case(rng, _transaction(event, facts), policy)
        if decided is not None:
            yield Case(decided.transaction, decided.fraud, "company", decided.scenario, customer.customer_id)


def _case(rng: random.Random, world: World, event: Event, transaction: Transaction, policy: FraudPolicy) -> Case | None:
    features = derive_features(transaction, policy)
    customer = event.customer.customer_id
    if event.ambiguous:
        if features.speed_kmh is not None and features.speed_kmh > _IMPOSSIBLE_KMH:
            return None  # no longer borderline: nobody travels that fast
        return Case(transaction, event.fraud, "borderline", event.scenario, customer)
    strong = heuristic_score(raise_flags(transaction, policy, features)) >= _STRONG_POINTS
    kind: Kind = "borderline" if strong != event.fraud else "clear_fraud" if event.fraud else "clear_legitimate"
    note = _note(rng, world, event, kind)
    return Case(transaction.model_copy(update={"note": note}), event.fraud, kind, event.scenario, customer)


def _note(rng: random.Random, world: World, event: Event, kind: Kind) -> str | None:
    """Small talk mostly; where the facts mislead, context that helps more often than not."""
    if rng.random() >= (0.9 if kind == "borderline" else _NOTED):
        return None
    if rng.random() < (0.1 if kind == "borderline" else 0.7):
        return neutral_note(rng)
    situation: Situation = "online" if event.city is None else "burst"
    if event.city is not None and event.city.country != event.customer.home.country:
        situation = "away"
    misled = rng.random() < (MISLEADING if kind == "borderline" else _MISLED_CLEAR)
    return context_note(rng, world, event, situation, honest=event.fraud == misled)


def _some(rng: random.Random, rows: Sequence[Seen], count: int) -> Sequence[Seen]:
    return rng.sample(rows, min(count, len(rows)))
