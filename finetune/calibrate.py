"""From label logits to probabilities and decisions: temperature, bias, and a threshold that follows from costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

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

    The identity where the split is too small, lacks a class, or contradicts the logits. `deployed_rate` is the share
    of positives expected in use.
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
    rate = float(np.mean(labels == 0))
    return Calibration(
        temperature=1 / slope,
        bias=intercept / slope,
        fitted_rate=rate if deployed_rate is not None else None,
        deployed_rate=deployed_rate,
        method="temperature_bias",
    )


def _best_temperature(logits: Logits, labels: np.ndarray) -> float:
    rows = np.arange(len(labels))
    losses = [-np.log(_softmax(logits / t)[rows, labels] + 1e-12).mean() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def _softmax(logits: Logits) -> Floats:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)
