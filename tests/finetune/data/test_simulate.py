from __future__ import annotations

import random
from itertools import pairwise

import pytest

from finetune.data.attacks import ATTACKS, Attack
from finetune.data.catalogue import CATEGORIES, merchant_names
from finetune.data.genuine import live
from finetune.data.simulate import Case, simulate
from finetune.data.world import START, WARM_UP_DAYS, World, build_world
from tools.fraud import FraudPolicy, derive_features
from tools.fraud.history import distance_km


@pytest.fixture(scope="module")
def world() -> World:
    rng = random.Random(3)
    return build_world(rng, range(40), merchant_names(rng, (12,))[0])


@pytest.fixture(scope="module")
def cases(world: World, policy: FraudPolicy) -> list[Case]:
    return list(simulate(random.Random(4), world, policy))


def test_names_of_splits_are_disjoint_and_cover_all_categories() -> None:
    lists = merchant_names(random.Random(1), (5, 3, 3))
    names = [{name for _, name in found} for found in lists]
    assert [len(found) for found in lists] == [count * len(CATEGORIES) for count in (5, 3, 3)]
    assert not names[0] & names[1]
    assert not names[1] & names[2]
    assert not names[0] & names[2]


def test_genuine_purchases_are_ordered_and_reachable(world: World) -> None:
    for customer in world.customers[:10]:
        events = live(random.Random(7), customer, world)
        assert events == sorted(events, key=lambda event: event.moment)
        placed = [event for event in events if event.city]
        for earlier, later in pairwise(placed):
            if earlier.city and later.city and earlier.city != later.city:
                hours = (later.moment - earlier.moment).total_seconds() / 3600
                assert distance_km(earlier.city.position, later.city.position) / hours < 600


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_are_fraud_at_merchants_of_the_world(attack: Attack, world: World) -> None:
    known = {name for names in world.merchants.values() for name in names}
    for seed in range(20):
        events = attack(random.Random(seed), world.customers[0], world, START)
        assert events
        assert all(event.fraud and event.merchant in known and event.amount > 0 for event in events)
        assert {event.scenario for event in events} == {attack.__name__}


def test_history_features_hold_what_their_names_say(cases: list[Case]) -> None:
    for case in cases:
        transaction = case.transaction
        if case.kind == "company":
            continue  # changed after the fact
        assert transaction.timestamp is not None
        assert (transaction.timestamp - START).days >= WARM_UP_DAYS - 1
        assert 1 <= (transaction.count_1h or 0) <= (transaction.count_24h or 0) <= (transaction.count_7d or 0)
        if transaction.channel in ("ecommerce", "moto"):
            assert transaction.distance_from_last_km is None
            assert transaction.city is None


def test_every_kind_and_both_labels_of_the_open_ones_occur(cases: list[Case]) -> None:
    found = {(case.kind, case.fraud) for case in cases}
    assert found == {
        ("clear_fraud", True),
        ("clear_legitimate", False),
        ("borderline", True),
        ("borderline", False),
        ("company", True),
        ("company", False),
    }


def test_borderline_facts_alone_do_not_decide(cases: list[Case]) -> None:
    """Ratios of honest and fraudulent borderline orders overlap: their medians are within a factor of two."""
    ratios: dict[bool, list[float]] = {True: [], False: []}
    for case in cases:
        ratio = derive_features(case.transaction, FraudPolicy()).amount_ratio
        if case.kind == "borderline" and case.transaction.channel == "ecommerce" and case.transaction.note and ratio:
            ratios[case.fraud].append(ratio)
    middle = {fraud: sorted(found)[len(found) // 2] for fraud, found in ratios.items()}
    assert 0.5 < middle[True] / middle[False] < 2
