"""Budgets: counted by day, refused when spent, new at the next day or month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

import server.access.budgets as budgets_module
from agent.models.meter import spend
from server.access.budgets import BudgetError, Budgets
from server.access.callers import LOCAL_CALLER, Caller, Limits
from server.db.engine import Database
from tools.ports import Usage


@dataclass
class Calendar:
    now: datetime = datetime(2026, 12, 30, 22, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Calendar:
    made = Calendar()
    monkeypatch.setattr(budgets_module, "_now", made)
    return made


def spender(key_id: str = "k", **limits: float) -> Caller:
    return Caller("ann", frozenset({"chat"}), key_id, Limits(**limits))  # pyright: ignore[reportArgumentType]


async def work(budgets: Budgets, caller: Caller, usage: Usage) -> None:
    async with budgets.charged(caller):
        spend(usage)


@pytest.mark.parametrize(
    ("limits", "usage", "name"),
    [
        ({"tokens_per_day": 100}, Usage(60, 40), "tokens_per_day"),
        ({"tokens_per_month": 100}, Usage(60, 40), "tokens_per_month"),
        ({"usd_per_day": 0.5}, Usage(1, 1, 0.5), "usd_per_day"),
        ({"usd_per_month": 0.5}, Usage(1, 1, 0.6), "usd_per_month"),
    ],
)
async def test_a_budget_that_is_spent_refuses(
    database: Database, calendar: Calendar, limits: dict[str, float], usage: Usage, name: str
) -> None:
    budgets, caller = Budgets(database, calendar), spender(**limits)
    await budgets.check(caller)
    await work(budgets, caller, usage)
    with pytest.raises(BudgetError) as caught:
        await budgets.check(caller)
    assert caught.value.code == "budget_spent"
    assert caught.value.details["budget"] == name
    hours = 26 if name.endswith("month") else 2
    assert caught.value.details["retry_after_s"] == hours * 3600
    await budgets.check(spender("another", **limits))


async def test_a_budget_that_is_nearly_spent_does_not(database: Database, calendar: Calendar) -> None:
    budgets, caller = Budgets(database, calendar), spender(tokens_per_day=100)
    await work(budgets, caller, Usage(50, 0))
    await work(budgets, caller, Usage(0, 49))
    await budgets.check(caller)
    await work(budgets, caller, Usage(1, 0))
    with pytest.raises(BudgetError):
        await budgets.check(caller)


async def test_the_next_day_and_the_next_month_are_new(database: Database, calendar: Calendar) -> None:
    budgets, caller = Budgets(database, calendar), spender(tokens_per_day=100, tokens_per_month=150)
    await work(budgets, caller, Usage(100, 0))
    calendar.now = datetime(2026, 12, 31, 0, 0, tzinfo=UTC)
    await budgets.check(caller)
    await work(budgets, caller, Usage(50, 0))
    with pytest.raises(BudgetError) as caught:
        await budgets.check(caller)
    assert caught.value.details["budget"] == "tokens_per_month"
    calendar.now = datetime(2027, 1, 1, 0, 0, tzinfo=UTC)
    await budgets.check(caller)


async def test_work_that_fails_counts_as_far_as_it_came(database: Database, calendar: Calendar) -> None:
    budgets, caller = Budgets(database, calendar), spender(tokens_per_day=100)

    async def fail() -> None:
        async with budgets.charged(caller):
            spend(Usage(90, 10))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    with pytest.raises(BudgetError):
        await budgets.check(caller)


async def test_no_limit_asks_nothing(calendar: Calendar, database: Database) -> None:
    budgets = Budgets(database, calendar)
    await work(budgets, spender(), Usage(10**12, 10**12, 1e9))
    await budgets.check(spender())
    await work(budgets, LOCAL_CALLER, Usage(10**12, 10**12, 1e9))
    await budgets.check(LOCAL_CALLER)
