"""Budgets: what the results of a key's runs cost, by day, and when that is enough."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

from sqlalchemy import Connection, case, func, select
from sqlalchemy.dialects import sqlite

from agent.models.meter import Meter, metered
from server.access.callers import Caller
from server.db.dialects import insert_in
from server.db.engine import Database
from server.db.tables import key_usage
from tools.errors import SwitchyardError
from tools.ports import Usage


class BudgetError(SwitchyardError):
    """The key has spent what it may (HTTP 429). `details` says which budget, and when there is a new one."""

    code = "budget_spent"


@dataclass(frozen=True)
class _Budget:
    """One of a key's budgets with what is spent of it."""

    name: str
    limit: float
    spent: float
    renewed: datetime

    @property
    def exhausted(self) -> bool:
        return bool(self.limit) and self.spent >= self.limit


def _now() -> datetime:
    return datetime.now(UTC)


def count_usage(connection: Connection, key_id: str, usage: Usage) -> None:
    """Add to what a key has spent today; part of the transaction that writes the result."""
    spent = {
        "key_id": key_id,
        "day": _now().date().isoformat(),
        "requests": 1,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "cost_usd": usage.cost_usd,
    }
    connection.execute(_addition(connection.dialect.name), spent)


@cache
def _addition(dialect: str) -> sqlite.Insert:
    spent = insert_in(dialect, key_usage)
    counted = (key_usage.c.requests, key_usage.c.prompt_tokens, key_usage.c.completion_tokens, key_usage.c.cost_usd)
    added = {column.name: column + spent.excluded[column.name] for column in counted}
    return spent.on_conflict_do_update(index_elements=["key_id", "day"], set_=added)


class Budgets:
    """Refuses work for keys that have spent what they may. Runs at work count when they end."""

    def __init__(self, database: Database, now: Callable[[], datetime] = _now) -> None:
        """Count in `database`; `now` is the time in UTC."""
        self._database = database
        self._now = now

    async def check(self, caller: Caller) -> None:
        """Whether the caller may start something that a model works on.

        Raises:
            BudgetError: a budget of the key is spent.
        """
        limits = caller.limits
        if caller.key_id is None or not any(
            (limits.tokens_per_day, limits.tokens_per_month, limits.usd_per_day, limits.usd_per_month)
        ):
            return
        now = self._now()
        for budget in await self._budgets(caller, caller.key_id, now):
            if budget.exhausted:
                raise BudgetError(
                    f"This key has spent its budget ({budget.name}: {budget.limit:g}). There is a new one at "
                    f"{budget.renewed:%Y-%m-%d %H:%M} UTC; whoever runs the server can give a larger one.",
                    budget=budget.name,
                    limit=budget.limit,
                    spent=budget.spent,
                    retry_after_s=max(1, int((budget.renewed - now).total_seconds())),
                )

    @asynccontextmanager
    async def charged(self, caller: Caller) -> AsyncGenerator[None]:
        """Count what the model calls of a request without a run cost, also where they come to nothing."""
        with metered(Meter()) as meter:
            try:
                yield
            finally:
                key_id, spent = caller.key_id, meter.usage
                if key_id is not None:
                    await self._database.write(lambda connection: count_usage(connection, key_id, spent))

    async def _budgets(self, caller: Caller, key_id: str, now: datetime) -> list[_Budget]:
        today, month = now.date(), now.date().replace(day=1)
        tokens, usd = key_usage.c.prompt_tokens + key_usage.c.completion_tokens, key_usage.c.cost_usd
        is_today = key_usage.c.day == today.isoformat()
        amounts = (
            case((is_today, tokens), else_=0).label("tokens_per_day"),
            tokens.label("tokens_per_month"),
            case((is_today, usd), else_=0.0).label("usd_per_day"),
            usd.label("usd_per_month"),
        )
        sums = [func.coalesce(func.sum(amount), 0).label(amount.name) for amount in amounts]
        query = select(*sums).where(key_usage.c.key_id == key_id, key_usage.c.day >= month.isoformat())
        spent = await self._database.read(lambda connection: connection.execute(query).mappings().one())
        tomorrow, next_month = _midnight(today + timedelta(days=1)), _midnight((month + timedelta(31)).replace(day=1))
        limits = caller.limits
        return [
            _Budget("tokens_per_day", limits.tokens_per_day, spent["tokens_per_day"], tomorrow),
            _Budget("tokens_per_month", limits.tokens_per_month, spent["tokens_per_month"], next_month),
            _Budget("usd_per_day", limits.usd_per_day, spent["usd_per_day"], tomorrow),
            _Budget("usd_per_month", limits.usd_per_month, spent["usd_per_month"], next_month),
        ]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC)
