"""Figures over cases: means with bootstrap intervals by route, and what the turns cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from eval.metrics import METRICS
from eval.outcomes import Answered, Cost, Measure, Outcome
from eval.statistics import bootstrap

ROUTES = ("knowledge", "extraction", "fraud", "unknown")
ALL = "all"


def measure(outcomes: Sequence[Outcome]) -> list[Measure]:
    """Every metric over all judged cases, and by kind of case where it applies to more than one."""
    measures: list[Measure] = []
    for metric in METRICS:
        scored = [outcome for outcome in outcomes if metric in outcome.scores]
        kinds = [kind for kind in ROUTES if any(outcome.kind == kind for outcome in scored)]
        if len(kinds) > 1 or metric in _OVERALL:
            measures += _mean(ALL, metric, scored)
        for kind in kinds:
            measures += _mean(kind, metric, [outcome for outcome in scored if outcome.kind == kind])
    return measures


def costs(outcomes: Sequence[Outcome]) -> list[Cost]:
    """Latency, tokens and money of the judged turns, by kind of case and over all."""
    answered = {kind: [o.answered for o in outcomes if o.answered and o.kind == kind] for kind in ROUTES}
    rows = [_cost(kind, turns) for kind, turns in answered.items() if turns]
    everything = [turn for turns in answered.values() for turn in turns]
    return [*rows, _cost(ALL, everything)] if everything else []


_OVERALL = ("route_accuracy", "citations_valid")


def _mean(route: str, metric: str, scored: Sequence[Outcome]) -> Iterator[Measure]:
    if scored:
        values = np.array([outcome.scores[metric] for outcome in scored])
        figure = bootstrap(lambda rows: float(values[rows].mean()), [outcome.id for outcome in scored])
        yield Measure(route=route, metric=metric, n=len(scored), **figure)


def _cost(route: str, turns: Sequence[Answered]) -> Cost:
    totals = [turn.total_ms for turn in turns if turn.total_ms is not None]
    firsts = [turn.ttft_ms for turn in turns if turn.ttft_ms is not None]
    return Cost(
        route=route,
        n=len(turns),
        p50_ms=_quantile(totals, 0.5),
        p95_ms=_quantile(totals, 0.95),
        ttft_p50_ms=_quantile(firsts, 0.5),
        ttft_p95_ms=_quantile(firsts, 0.95),
        prompt_tokens=round(sum(turn.prompt_tokens for turn in turns) / len(turns), 1),
        completion_tokens=round(sum(turn.completion_tokens for turn in turns) / len(turns), 1),
        cost_usd=round(sum(turn.cost_usd for turn in turns), 6),
    )


def _quantile(values: Sequence[float], share: float) -> float | None:
    return round(float(np.quantile(values, share)), 1) if values else None
