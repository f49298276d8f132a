from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.fraud.history import CardHistory, Position, Purchase, distance_km

DUBLIN, CORK = Position(53.35, -6.26), Position(51.9, -8.47)
START = datetime(2026, 3, 9, 12)


def purchase(minutes: float, amount: float = 10, shop: str = "Bakery", place: Position | None = None) -> Purchase:
    return Purchase(START + timedelta(minutes=minutes), amount, shop, "food", place)


def test_the_first_purchase_has_no_past() -> None:
    facts = CardHistory().observe(purchase(0, place=DUBLIN))
    assert (facts.count_1h, facts.count_24h, facts.count_7d) == (1, 1, 1)
    assert facts.customer_usual_amount is None
    assert facts.distance_from_last_km is None
    assert facts.minutes_since_last is None
    assert facts.first_time_merchant is None


def test_windows_usual_amount_and_firsts() -> None:
    history = CardHistory()
    for minutes, amount in ((0, 8), (10_000, 10), (11_400, 12), (12_000, 900), (12_050, 11)):
        history.observe(purchase(minutes, amount))
    facts = history.facts(purchase(12_070, 5, "Casino"))
    assert (facts.count_1h, facts.count_24h, facts.count_7d) == (2, 4, 5)
    assert facts.customer_usual_amount == 11
    assert facts.first_time_merchant is True
    assert facts.first_time_category is False
    assert facts.minutes_since_last == 20


def test_distance_and_time_are_measured_between_places() -> None:
    history = CardHistory()
    history.observe(purchase(0, place=DUBLIN))
    history.observe(purchase(50))  # online: no place
    facts = history.observe(purchase(60, place=CORK))
    assert facts.distance_from_last_km == pytest.approx(219, abs=5)
    assert facts.minutes_since_last == 60


def test_a_purchase_out_of_order_is_refused() -> None:
    history = CardHistory()
    history.observe(purchase(10))
    with pytest.raises(ValueError, match="after one of"):
        history.observe(purchase(5))


@given(st.lists(st.tuples(st.floats(0, 50_000), st.floats(0.01, 9_999)), min_size=1, max_size=60))
def test_counts_agree_with_a_plain_count(rows: list[tuple[float, float]]) -> None:
    history, seen = CardHistory(), list[Purchase]()
    for minutes, amount in sorted(rows):
        now = purchase(minutes, amount)
        facts = history.observe(now)
        seen.append(now)
        for found, window in ((facts.count_1h, 60), (facts.count_24h, 1440), (facts.count_7d, 10_080)):
            assert found == sum(now.moment - past.moment <= timedelta(minutes=window) for past in seen)


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180))
def test_distance_is_symmetric_and_bounded(a: float, b: float, c: float, d: float) -> None:
    there, back = distance_km(Position(a, b), Position(c, d)), distance_km(Position(c, d), Position(a, b))
    assert there == pytest.approx(back)
    assert 0 <= there <= 20_016
