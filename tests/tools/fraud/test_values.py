from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.fraud import values


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("2400", 2400, None),
        ("1.234,56", 1234.56, None),
        ("1,234.56", 1234.56, None),
        ("$2,400", 2400, "USD"),
        ("2 400,50 €", 2400.5, "EUR"),
        ("EUR 1.234", 1234, "EUR"),
        ("45.125", 45.125, None),
        ("1,234,567", 1234567, None),
        ("12,5", 12.5, None),
        ("US$ 3", 3, "USD"),
        ("2.5k EUR", 2500, "EUR"),
        ("300 naira", 300, "NGN"),
        ("-£5", -5, "GBP"),
    ],
)
def test_money_is_read_with_either_grouping(text: str, amount: float, currency: str | None) -> None:
    assert values.read_money(text) == (amount, currency)


@pytest.mark.parametrize("text", ["", "abc", "nan", "inf", "1e999", "12 apples", "--5"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        values.read_money(text)


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_amounts_survive_both_conventions(number: object) -> None:
    english = f"{number:,.2f}"
    continental = english.translate(str.maketrans(",.", ".,"))
    assert values.read_number(english) == values.read_number(continental) == float(str(number))


@pytest.mark.parametrize(
    ("value", "unit", "minutes"),
    [
        (20, "m", 20),
        ("3 hours", "m", 180),
        ("an hour", "m", 60),
        ("2 days", "m", 2880),
        ("90", "s", 1.5),
        ("1.5h", "m", 90),
    ],
)
def test_durations_become_minutes(value: object, unit: str, minutes: float) -> None:
    assert values.read_minutes(value, unit=unit) == minutes


@pytest.mark.parametrize(("value", "km"), [(12, 12), ("8,000 km", 8000), ("10 miles", 16.09344), ("500 m", 0.5)])
def test_distances_become_kilometres(value: object, km: float) -> None:
    assert values.read_km(value) == pytest.approx(km)


@pytest.mark.parametrize(
    ("value", "day", "clock"),
    [
        ("2024-03-01 03:12:00", date(2024, 3, 1), time(3, 12)),
        ("2024-03-01T03:12:00Z", date(2024, 3, 1), time(3, 12)),
        ("2024-03-01T03:12:00+05:00", date(2024, 3, 1), time(3, 12)),
        ("03:12", None, time(3, 12)),
        ("3:12 pm", None, time(15, 12)),
        ("3h05", None, time(3, 5)),
        ("2024-03-01", date(2024, 3, 1), None),
        ("01.03.2024 10:00", date(2024, 3, 1), time(10, 0)),
        ("03/04/2024 10:00", None, time(10, 0)),
        ("25/04/2024", date(2024, 4, 25), None),
        (1709262720, date(2024, 3, 1), time(3, 12)),
        (1709262720000, date(2024, 3, 1), time(3, 12)),
    ],
)
def test_moments_hold_only_what_is_written(value: object, day: date | None, clock: time | None) -> None:
    assert values.read_moment(value) == (day, clock)


@given(st.text(max_size=70))
def test_moments_refuse_with_value_errors_only(text: str) -> None:
    try:
        values.read_moment(text)
    except ValueError as error:
        assert str(error)  # noqa: PT017


@pytest.mark.parametrize(("value", "count"), [("third", 3), ("3rd", 3), (4.0, 4), ("no", 0), ("12", 12)])
def test_counts(value: object, count: int) -> None:
    assert values.read_count(value) == count


def test_a_fraction_is_no_count() -> None:
    with pytest.raises(ValueError, match="whole"):
        values.read_count(2.5)
