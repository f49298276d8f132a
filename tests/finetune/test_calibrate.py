from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.calibrate import Decision, fit_calibration, for_deployed_rate
from finetune.errors import RecipeError
from finetune.evaluation.report import Request, evaluate
from finetune.task import load_task
from finetune.training.prepare import Job
from finetune.training.run import train
from tools.fraud.calibration import Calibration

RANDOM = np.random.default_rng(5)
Z = RANDOM.normal(0, 2, 400)
LOGITS = np.column_stack([Z, np.zeros(400)])
TRUTH = np.where(Z + RANDOM.normal(0, 1, 400) > 1, 0, 1).tolist()
FITTED = fit_calibration(LOGITS, TRUTH)


def probabilities(calibration: Calibration) -> np.ndarray:
    return Decision(calibration, 0.5).probability(LOGITS)


def test_the_share_of_positives_is_kept_and_shifts_nothing_by_itself() -> None:
    assert FITTED.fitted_rate == TRUTH.count(0) / len(TRUTH)
    assert FITTED.deployed_rate is None
    assert (probabilities(FITTED) == probabilities(replace(FITTED, fitted_rate=None))).all()


def test_the_fitted_share_in_use_changes_nothing() -> None:
    assert FITTED.fitted_rate is not None
    same = for_deployed_rate(FITTED, FITTED.fitted_rate, 2)
    assert probabilities(same) == pytest.approx(probabilities(FITTED), abs=1e-12)


@given(st.lists(st.floats(min_value=0.001, max_value=0.999), min_size=2, max_size=2, unique=True).map(sorted))
def test_fewer_positives_in_use_lower_every_probability_and_keep_the_order(rates: Sequence[float]) -> None:
    rarer, commoner = (probabilities(for_deployed_rate(FITTED, rate, 2)) for rate in rates)
    assert (rarer <= commoner).all()
    assert (np.diff(rarer[np.argsort(Z)]) >= 0).all()


@pytest.mark.parametrize(
    ("calibration", "rate", "classes", "said"),
    [
        (replace(FITTED, fitted_rate=None), 0.01, 2, "Train it again"),
        (Calibration(), 0.01, 2, "could not be fitted"),
        (FITTED, 0.0, 2, "strictly between"),
        (FITTED, 1.0, 2, "strictly between"),
        (FITTED, 0.1, 3, "Leave it out"),
    ],
)
def test_what_cannot_be_corrected_is_refused(calibration: Calibration, rate: float, classes: int, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        for_deployed_rate(calibration, rate, classes)


def test_an_impossible_rate_fails_before_training(job: Job, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="strictly between"):
        train(replace(job, out=tmp_path / "run", deployed_rate=1.5))
    assert not (tmp_path / "run").exists()


def test_evaluate_shifts_from_the_fitted_share(job: Job, trained: Path, tmp_path: Path, few_resamples: None) -> None:
    adapter = tmp_path / "adapter"
    shutil.copytree(trained, adapter, ignore=shutil.ignore_patterns("checkpoints"))
    calibration = Calibration(1.5, 0.2, fitted_rate=0.25, method="temperature_bias")
    load_task(trained).model_copy(update={"calibration": calibration}).save(adapter)

    def positive(rate: float | None) -> list[float]:
        request = Request(adapter, list(job.rows)[:24], job.base, with_base=False, deployed_rate=rate)
        report: dict[str, Any] = evaluate(request, tmp_path / "report.json")
        return [row["probabilities"][0] for row in report["rows"]]

    usual, same, rarer = positive(None), positive(0.25), positive(0.02)
    assert same == pytest.approx(usual, abs=2e-6)
    assert all(low < high for low, high in zip(rarer, usual, strict=True))
