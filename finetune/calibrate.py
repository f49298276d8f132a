"""From label logits to probabilities and decisions: temperature, bias, and a threshold that follows from costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.linear_model import LogisticRegression

from finetune.errors import RecipeError
from finetune.evaluation.metrics import Floats, Scored, binary
from finetune.objective import Logits, margins
from tools.fraud.calibration import Calibration

_SMALLEST_SPLIT = 30
_TEMPERATURES = np.geomspace(0.1, 10, 81)
_WEAK_PENALTY = 100.0


@dataclass(frozen=True)
class Costs:
    """What a missed positive and a false alarm cost; only their ratio matters."""

    missed: float = 2.0
    alarm: float = 1.0

    @property
    def threshold(self) -> float:
        """The probability above which acting is cheaper (Elkan 2001), given calibrated probabilities."""
        return self.alarm / (self.alarm + self.missed)


@dataclass(frozen=True)
class Decision:
    """How logits become a decision. With more than two labels only the temperature counts, and the largest wins."""

    calibration: Calibration
    threshold: float

    def apply(self, logits: Logits, truth: Sequence[int]) -> Scored:
        """Probabilities and decided labels of logits [rows, labels]."""
        if logits.shape[1] == 2:
            return binary(truth, self.probability(logits), self.threshold)
        probabilities = _softmax(logits / self.calibration.temperature)
        return Scored(np.asarray(truth), probabilities.argmax(axis=1), probabilities)

    def probability(self, logits: Logits) -> Floats:
        """The positive class's probability for each row of two-label logits."""
        return np.array([self.calibration.probability(float(z)) for z in margins(logits)])


def fit_calibration(logits: Logits, truth: Sequence[int], deployed_rate: float | None = None) -> Calibration:
    """Temperature and bias by likelihood (Platt scaling) on a split of their own.

    The identity where the split is too small, lacks a class, or contradicts the logits. The share of positives that it
    was fitted to goes with it; `deployed_rate`, the share expected in use, shifts the probabilities from there.
    """
    labels = np.asarray(truth)
    if len(labels) < _SMALLEST_SPLIT or len(np.unique(labels)) < 2:
        return Calibration()
    if logits.shape[1] > 2:
        return Calibration(temperature=_best_temperature(logits, labels), method="temperature_bias")
    fitted = LogisticRegression(C=_WEAK_PENALTY).fit(margins(logits)[:, None], labels == 0)
    slope, intercept = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    if slope <= 0:
        return Calibration()
    return Calibration(
        temperature=1 / slope,
        bias=intercept / slope,
        fitted_rate=float(np.mean(labels == 0)),
        deployed_rate=deployed_rate,
        method="temperature_bias",
    )


def for_deployed_rate(calibration: Calibration, rate: float, classes: int) -> Calibration:
    """The calibration corrected for another share of positives than the rows had that it was fitted to.

    Raises RecipeError where it was not fitted to a known share, for more than two classes, and for an impossible rate.
    """
    check_deployed_rate(rate, classes)
    if not calibration.calibrated:
        raise RecipeError(
            "--deployed-rate corrects calibrated probabilities, and this adapter's calibration could not be fitted: "
            f"its calibration rows were fewer than {_SMALLEST_SPLIT}, of one label only, or contradicted the model. "
            "Train with more validation rows.",
            code="not_calibrated",
        )
    if calibration.fitted_rate is None:
        raise RecipeError(
            "The adapter does not say which share of positives its calibration was fitted to (older versions did not "
            "write it), so --deployed-rate has nothing to correct. Train it again, or write that share as fitted_rate "
            "into the calibration of its task.json.",
            code="no_fitted_rate",
        )
    return replace(calibration, deployed_rate=rate)


def check_deployed_rate(rate: float, classes: int) -> None:
    """Raises RecipeError unless it is a share that can be corrected for: of two classes, strictly between 0 and 1."""
    if classes > 2:
        raise RecipeError(f"--deployed-rate is the share of one of two labels, and there are {classes}. Leave it out.")
    if not 0 < rate < 1:
        raise RecipeError(f"--deployed-rate is {rate:g}; a share of positives lies strictly between 0 and 1.")


def _best_temperature(logits: Logits, labels: np.ndarray) -> float:
    rows = np.arange(len(labels))
    losses = [-np.log(_softmax(logits / t)[rows, labels] + 1e-12).mean() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def _softmax(logits: Logits) -> Floats:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)
