from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from finetune.calibrate import Costs, Decision, fit_calibration
from finetune.evaluation.metrics import Scored, binary, expected_calibration_error, intervals, measure
from finetune.evaluation.significance import mcnemar, paired_differences

TRUTH = [0, 0, 1, 1, 1, 1]


def test_metrics_of_a_small_case() -> None:
    found = measure(binary(TRUTH, np.array([0.9, 0.4, 0.6, 0.1, 0.2, 0.3]), 0.5))
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert (found["precision"], found["recall"], found["f1"]) == (0.5, 0.5, 0.5)
    assert found["mcc"] == pytest.approx(0.25)
    assert found["roc_auc"] == pytest.approx(7 / 8)
    assert found["pr_auc"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["recall_at_fpr_5"] == 0.5
    assert found["brier"] == pytest.approx(np.mean([0.01, 0.36, 0.36, 0.01, 0.04, 0.09]))


def test_always_legitimate_looks_good_only_in_accuracy() -> None:
    truth = [0] * 6 + [1] * 94
    found = measure(binary(truth, np.full(100, 0.06), 0.5))
    assert (found["accuracy"], found["mcc"], found["recall"], found["roc_auc"]) == (0.94, 0.0, 0.0, 0.5)
    assert found["ece"] == pytest.approx(0.0, abs=0.13)


def test_one_class_has_no_ranking() -> None:
    found = measure(binary([1, 1], np.array([0.1, 0.2]), 0.5))
    assert (found["roc_auc"], found["pr_auc"], found["recall_at_fpr_5"]) == (None, None, None)


def test_more_than_two_classes() -> None:
    probabilities = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])
    found = measure(Scored(np.array([0, 1, 2, 1]), probabilities.argmax(1), probabilities))
    assert found["accuracy"] == 0.75
    assert found["roc_auc"] == pytest.approx(1.0)
    assert found["recall_at_fpr_5"] is None


@pytest.mark.filterwarnings("ignore")
@given(st.integers(2, 4), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_decisions_are_measured_as_scikit_learn_does(classes: int, rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    truth, decided = random.integers(0, classes, (2, rows))
    values = measure(Scored(truth, decided, random.dirichlet(np.ones(classes), rows)))
    shared: dict[str, Any] = {"zero_division": 0.0}
    shared |= {"pos_label": 0} if classes == 2 else {"average": "macro", "labels": range(classes)}
    assert values["accuracy"] == pytest.approx(sk.accuracy_score(truth, decided))
    assert values["precision"] == pytest.approx(sk.precision_score(truth, decided, **shared))
    assert values["recall"] == pytest.approx(sk.recall_score(truth, decided, **shared))
    assert values["f1"] == pytest.approx(sk.f1_score(truth, decided, **shared))
    assert values["mcc"] == pytest.approx(sk.matthews_corrcoef(truth, decided), abs=1e-9)


def test_calibration_error_sees_overconfidence() -> None:
    truth = np.tile([0, 1], 500)
    sure = Scored(truth, truth, np.tile([0.95, 0.05], (1000, 1)))
    assert expected_calibration_error(sure) == pytest.approx(0.45)


def test_intervals_hold_the_value_and_shrink_with_rows() -> None:
    random = np.random.default_rng(0)

    def width(rows: int) -> float:
        truth = random.integers(0, 2, rows)
        scored = binary(truth.tolist(), np.clip(0.7 - 0.4 * truth + random.normal(0, 0.3, rows), 0, 1), 0.5)
        low, high = intervals(scored, resamples=200)["roc_auc"]
        assert low <= (measure(scored)["roc_auc"] or 0) <= high
        return high - low

    assert width(1000) < width(60)


def test_calibration_recovers_temperature_and_bias() -> None:
    random = np.random.default_rng(1)
    true = random.normal(-1, 2, 4000)
    truth = np.where(random.random(4000) < 1 / (1 + np.exp(-true)), 0, 1)
    raw = 3 * true - 1.5
    logits = np.column_stack([raw / 2, -raw / 2])
    calibration = fit_calibration(logits, truth.tolist())
    assert calibration.temperature == pytest.approx(3, rel=0.15)
    assert calibration.bias == pytest.approx(1.5, abs=0.4)
    calibrated = Decision(calibration, 0.5).apply(logits, truth.tolist())
    assert expected_calibration_error(calibrated) < 0.03


@pytest.mark.parametrize("truth", [[0, 1], [1] * 50])
def test_too_little_to_calibrate_on_leaves_the_identity(truth: list[int]) -> None:
    assert fit_calibration(np.zeros((len(truth), 2)), truth).method == "identity"


def test_a_contradicting_split_does_not_turn_the_score_around() -> None:
    z = np.linspace(-2, 2, 100)
    truth = np.where(z > 0, 1, 0)
    assert fit_calibration(np.column_stack([z, -z]), truth.tolist()).method == "identity"


def test_deployed_rate_moves_the_probability() -> None:
    z = np.random.default_rng(2).normal(0, 2, 400)
    truth = np.where(z + np.random.default_rng(3).normal(0, 1, 400) > 0, 0, 1).tolist()
    logits = np.column_stack([z, np.zeros(400)])
    usual = Decision(fit_calibration(logits, truth), 0.5).probability(logits)
    rare = Decision(fit_calibration(logits, truth, deployed_rate=0.01), 0.5).probability(logits)
    assert rare.mean() < usual.mean() / 3


def test_the_threshold_follows_from_costs() -> None:
    assert Costs(missed=4, alarm=1).threshold == pytest.approx(0.2)


def test_mcnemar_counts_only_where_they_differ() -> None:
    truth = np.zeros(20, dtype=int)
    right = binary(truth.tolist(), np.ones(20), 0.5)
    half = binary(truth.tolist(), np.array([1.0] * 12 + [0.0] * 8), 0.5)
    assert mcnemar(right, right) == 1.0
    assert mcnemar(right, half) == pytest.approx(2 * 0.5**8)


def test_paired_differences_are_tighter_than_the_metrics() -> None:
    random = np.random.default_rng(4)
    truth = random.integers(0, 2, 300)
    score = np.clip(0.6 - 0.3 * truth + random.normal(0, 0.25, 300), 0, 1)
    one, other = binary(truth.tolist(), score, 0.5), binary(truth.tolist(), np.clip(score + 0.01, 0, 1), 0.5)
    difference, (low, high) = paired_differences(one, other, resamples=200)["roc_auc"]
    assert abs(difference) < 0.02
    assert high - low < 0.03
