from __future__ import annotations

import pytest

from eval.measures import costs, measure
from tests.eval.build import answered, outcome


def test_means_are_by_kind_and_over_all_with_an_interval_around_them() -> None:
    outcomes = [outcome(f"k-{n}", scores={"route_accuracy": float(n % 4 > 0)}) for n in range(40)]
    outcomes += [outcome(f"u-{n}", "unknown", scores={"route_accuracy": 1.0, "abstention": 0.0}) for n in range(10)]
    found = {figure.key: figure for figure in measure(outcomes)}
    assert list(found) == [
        "all.route_accuracy",
        "knowledge.route_accuracy",
        "unknown.route_accuracy",
        "unknown.abstention",
    ]
    knowledge = found["knowledge.route_accuracy"]
    assert (knowledge.n, knowledge.value) == (40, 0.75)
    assert 0.55 < knowledge.low < 0.75 < knowledge.high < 0.95
    assert found["all.route_accuracy"].value == pytest.approx(0.8)
    assert found["unknown.abstention"].value == 0


def test_cases_that_were_not_judged_count_nowhere() -> None:
    assert measure([outcome(scores={}, answered=None)]) == []
    assert costs([outcome(scores={}, answered=None)]) == []


def test_costs_are_quantiles_and_sums() -> None:
    turns = [
        outcome(f"k-{n}", answered=answered(total_ms=100.0 * n, ttft_ms=None, prompt_tokens=n, cost_usd=0.5))
        for n in range(1, 6)
    ]
    knowledge, everything = costs(turns)
    assert (knowledge.p50_ms, knowledge.ttft_p50_ms, knowledge.prompt_tokens, knowledge.cost_usd) == (300, None, 3, 2.5)
    assert knowledge.p95_ms == pytest.approx(480)
    assert everything == knowledge.model_copy(update={"route": "all"})
