from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.calibrate import Costs
from finetune.evaluation.metrics import Scored, binary
from finetune.threshold_cost import threshold_cost

COSTS = Costs(missed=2, alarm=1)
ROW = st.tuples(st.integers(0, 1), st.floats(0, 1))


def scored(rows: list[tuple[int, float]]) -> Scored:
    return binary([truth for truth, _ in rows], np.array([probability for _, probability in rows]), COSTS.threshold)


@given(st.lists(ROW, min_size=1, max_size=30), st.sampled_from([None, 0.01, 0.5]))
def test_no_threshold_costs_less_than_the_lowest(rows: list[tuple[int, float]], rate: float | None) -> None:
    found = threshold_cost(scored(rows), COSTS, COSTS.threshold, rate)
    labels = [truth for truth, _ in rows]
    if len(set(labels)) < 2:
        assert found is None
        return
    assert found is not None
    share = labels.count(0) / len(labels) if rate is None else rate

    def cost(threshold: float) -> float:
        missed = np.mean([probability < threshold for truth, probability in rows if truth == 0])
        alarms = np.mean([probability >= threshold for truth, probability in rows if truth == 1])
        return float(share * 2 * missed + (1 - share) * alarms)

    assert found.expected_cost == pytest.approx(cost(COSTS.threshold), abs=1e-9)
    assert found.lowest_cost == pytest.approx(cost(found.lowest_cost_threshold), abs=1e-9)
    assert found.lowest_cost <= min(cost(at) for at in [0.0, 0.3, 0.5, 1.0, *(p for _, p in rows)]) + 1e-9


def test_a_calibrated_split_is_no_reason_to_warn_and_a_shifted_one_is() -> None:
    random = np.random.default_rng(3)
    probability = random.uniform(0, 1, 4000)
    truth = np.where(random.uniform(0, 1, 4000) < probability, 0, 1).tolist()
    right = threshold_cost(binary(truth, probability, COSTS.threshold), COSTS, COSTS.threshold)
    assert right is not None
    assert right.warning is None
    wrong = threshold_cost(binary(truth, probability**3, COSTS.threshold), COSTS, COSTS.threshold)
    assert wrong is not None
    assert "not calibrated well" in (wrong.warning or "")
    few = threshold_cost(binary(truth[:60], probability[:60] ** 3, COSTS.threshold), COSTS, COSTS.threshold)
    assert few is not None
    assert few.warning is None


def test_more_than_two_labels_have_no_threshold() -> None:
    rows = Scored(np.array([0, 1, 2]), np.array([0, 1, 2]), np.eye(3))
    assert threshold_cost(rows, COSTS, COSTS.threshold) is None


def test_training_reports_it_and_keeps_the_closed_form(trained: Path) -> None:
    cost = json.loads((trained / "training.json").read_text())["threshold_cost"]
    assert cost["threshold"] == json.loads((trained / "task.json").read_text())["threshold"] == pytest.approx(1 / 3)
    assert cost["lowest_cost"] <= cost["expected_cost"]
