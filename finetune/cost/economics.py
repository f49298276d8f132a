"""The arithmetic: break-even, a year's total, what retraining does to it, and what better decisions are worth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from finetune.cost.measure import TokenCounts
from finetune.cost.prices import WAYS, Prices, Way

VOLUMES = (100, 1_000, 10_000, 100_000)
CHANGES = (1, 4, 12, 52)
RETRAININGS = (0, 1, 2, 4, 12, 26, 52)


@dataclass(frozen=True)
class BreakEven:
    """When tuning has paid for itself against prompting; None where a tuned request is not cheaper.

    `days` counts started days at the stated volume; `first_year` is what is saved in a year, the one-time cost paid.
    """

    requests: int | None
    days: int | None
    first_year: float


@dataclass(frozen=True)
class Retraining:
    """A year with `times` trainings after the first: what is saved, and after how many requests it pays."""

    times: int
    first_year: float
    requests: int | None


@dataclass(frozen=True)
class YearlyCost:
    """What one way costs in its first year. `mistakes` is None where its quality is not known."""

    way: Way
    one_time: float
    requests: float
    upkeep: float
    mistakes: float | None

    @property
    def running(self) -> float:
        """Without the cost of wrong decisions."""
        return self.one_time + self.requests + self.upkeep

    @property
    def total(self) -> float:
        """With wrong decisions where they are known."""
        return self.running + (self.mistakes or 0.0)


@dataclass(frozen=True)
class QualityGain:
    """What tuning decides better than another way in a year: frauds caught, false alarms avoided, and their value."""

    against: Way
    frauds_caught: float
    false_alarms_avoided: float
    value: float


def break_even(one_time: float, prompt_request: float, tuned_request: float, per_day: float, days: int) -> BreakEven:
    """Requests and days until the one-time cost is saved, and the first year's saving."""
    saving = prompt_request - tuned_request
    first_year = saving * per_day * days - one_time
    if saving <= 0:
        return BreakEven(None, None, first_year)
    # Rounded first: 3,770 / (0.03 - 0.01) is a hair above 188,500 in binary.
    requests = math.ceil(round(one_time / saving, 6))
    return BreakEven(requests, math.ceil(round(requests / per_day, 6)), first_year)


def retraining_table(
    prices: Prices, requests: Mapping[Way, float], times: Sequence[int] = RETRAININGS
) -> list[Retraining]:
    """The first year for several numbers of retrainings; one training is the one-time cost."""
    once = prices.one_time.cost(prices.engineer_per_hour)
    again = prices.retraining.cost(prices.engineer_per_hour)
    rows: list[Retraining] = []
    for count in times:
        found = break_even(
            once + count * again, requests["prompt"], requests["tuned"], prices.requests_per_day, prices.days_per_year
        )
        rows.append(Retraining(count, found.first_year, found.requests))
    return rows


def yearly_costs(prices: Prices, requests: Mapping[Way, float]) -> list[YearlyCost]:
    """The first year of every way, `requests` being the price of one request."""
    volume = prices.requests_per_day * prices.days_per_year
    changes = prices.rule_changes_per_year * prices.engineer_per_hour
    upkeep: dict[Way, float] = {
        "tuned": prices.retrainings_per_year * prices.retraining.cost(prices.engineer_per_hour),
        "prompt": changes * prices.prompt_hours_per_change,
        "rules": changes * prices.rules_hours_per_change,
    }
    once = prices.one_time.cost(prices.engineer_per_hour)
    return [
        YearlyCost(way, once if way == "tuned" else 0.0, requests[way] * volume, upkeep[way], mistakes(prices, way))
        for way in WAYS
    ]


def mistakes(prices: Prices, way: Way) -> float | None:
    """What missed fraud and false alarms cost in a year; None where the quality of this way is not known."""
    quality = prices.quality
    caught, alarmed = quality.caught.get(way), quality.false_alarms.get(way)
    if caught is None or alarmed is None:
        return None
    volume = prices.requests_per_day * prices.days_per_year
    missed = volume * quality.fraud_rate * (1 - caught) * quality.loss_per_missed_fraud
    return missed + volume * (1 - quality.fraud_rate) * alarmed * quality.cost_per_false_alarm


def quality_gain(prices: Prices, against: Way) -> QualityGain | None:
    """What tuning decides better than `against`; None where either is not known."""
    quality = prices.quality
    rates = [kind.get(way) for kind in (quality.caught, quality.false_alarms) for way in ("tuned", against)]
    caught, caught_other, alarmed, alarmed_other = rates
    if caught is None or caught_other is None or alarmed is None or alarmed_other is None:
        return None
    volume = prices.requests_per_day * prices.days_per_year
    frauds = volume * quality.fraud_rate * (caught - caught_other)
    alarms = volume * (1 - quality.fraud_rate) * (alarmed_other - alarmed)
    value = frauds * quality.loss_per_missed_fraud + alarms * quality.cost_per_false_alarm
    return QualityGain(against, frauds, alarms, value)


def request_prices(prices: Prices, tuned: TokenCounts, prompted: TokenCounts) -> dict[Way, float]:
    """US dollars for one request of each way."""
    return {
        "tuned": prices.tuned.cost(tuned.input, tuned.output),
        "prompt": prices.prompt.cost(prompted.input, prompted.output),
        "rules": prices.rules.cost(0, 0),
    }


def answers_by_volume(
    prices: Prices, requests: Mapping[Way, float], volumes: Sequence[int] = VOLUMES, changes: Sequence[int] = CHANGES
) -> dict[int, dict[int, Way]]:
    """The cheapest way by requests a day and rule changes a year; retrainings grow with the changes."""
    share = prices.retrainings_per_year / prices.rule_changes_per_year if prices.rule_changes_per_year else 1.0
    return {
        volume: {
            count: cheapest(
                yearly_costs(
                    prices.model_copy(
                        update={
                            "requests_per_day": volume,
                            "rule_changes_per_year": count,
                            "retrainings_per_year": share * count,
                        }
                    ),
                    requests,
                )
            ).way
            for count in changes
        }
        for volume in volumes
    }


def cheapest(costs: Sequence[YearlyCost]) -> YearlyCost:
    """The way with the lowest total; by running costs alone unless every way's mistakes are known."""
    known = all(cost.mistakes is not None for cost in costs)
    return min(costs, key=lambda cost: cost.total if known else cost.running)
