"""The whole comparison for one price file: measured tokens, prices of a request, and everything that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from finetune.cost.economics import (
    BreakEven,
    QualityGain,
    Retraining,
    YearlyCost,
    answers_by_volume,
    break_even,
    cheapest,
    quality_gain,
    request_prices,
    retraining_table,
    yearly_costs,
)
from finetune.cost.measure import TokenCounts
from finetune.cost.prices import Prices, Way


@dataclass(frozen=True)
class Comparison:
    """Tuning, prompting and rules compared under `prices`; `per_request` is in US dollars."""

    prices: Prices
    tokens: Mapping[Way, TokenCounts]
    per_request: Mapping[Way, float]
    one_time: float
    retraining_cost: float
    break_even: BreakEven
    retraining: list[Retraining]
    yearly: list[YearlyCost]
    gains: list[QualityGain]
    answers: Mapping[int, Mapping[int, Way]]

    @property
    def best(self) -> YearlyCost:
        """The cheapest way in the first year."""
        return cheapest(self.yearly)

    def record(self) -> dict[str, Any]:
        """The comparison as JSON."""
        return {
            "prices": self.prices.model_dump(mode="json"),
            "tokens": {way: asdict(count) for way, count in self.tokens.items()},
            "usd_per_request": dict(self.per_request),
            "usd_per_1000_requests": {way: round(1000 * price, 4) for way, price in self.per_request.items()},
            "one_time_usd": self.one_time,
            "retraining_usd": self.retraining_cost,
            "break_even": asdict(self.break_even),
            "retraining": [asdict(row) for row in self.retraining],
            "first_year": [asdict(cost) | {"running": cost.running, "total": cost.total} for cost in self.yearly],
            "quality_gain": [asdict(gain) for gain in self.gains],
            "answers_by_volume_and_changes": {volume: dict(row) for volume, row in self.answers.items()},
            "answer": self.best.way,
        }


def compare_costs(prices: Prices, tuned: TokenCounts, prompted: TokenCounts) -> Comparison:
    """Compare the three ways for measured token counts."""
    per_request = request_prices(prices, tuned, prompted)
    one_time = prices.one_time.cost(prices.engineer_per_hour)
    gains = [gain for way in ("prompt", "rules") if (gain := quality_gain(prices, way)) is not None]
    return Comparison(
        prices=prices,
        tokens={"tuned": tuned, "prompt": prompted},
        per_request=per_request,
        one_time=one_time,
        retraining_cost=prices.retraining.cost(prices.engineer_per_hour),
        break_even=break_even(
            one_time, per_request["prompt"], per_request["tuned"], prices.requests_per_day, prices.days_per_year
        ),
        retraining=retraining_table(prices, per_request),
        yearly=yearly_costs(prices, per_request),
        gains=gains,
        answers=answers_by_volume(prices, per_request),
    )
