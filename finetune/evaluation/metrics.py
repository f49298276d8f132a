"""Metrics of a scored split, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Values = dict[str, float | None]

RESAMPLES = 1000
_BINS = 15
_FALSE_POSITIVE_RATE = 0.05


@dataclass(frozen=True)
class Scored:
    """Rows with their truth and a scorer's answer.

    `truth` and `decided` are places in the label space (0: positive), `probabilities` [rows, classes] sum to 1 per row.
    """

    truth: Labels
    decided: Labels
    probabilities: Floats

    def take(self, rows: NDArray[np.integer]) -> Scored:
        """Some of the rows."""
        return Scored(self.truth[rows], self.decided[rows], self.probabilities[rows])

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return self.probabilities.shape[1]


def binary(truth: Sequence[int], positive: Floats, threshold: float) -> Scored:
    """A two-class split from the positive class's probability and a threshold."""
    decided = np.where(positive >= threshold, 0, 1)
    return Scored(np.asarray(truth), decided, np.column_stack([positive, 1 - positive]))


def measure(scored: Scored) -> Values:
    """Accuracy, precision, recall, f1, mcc, roc_auc, pr_auc, recall_at_fpr_5, ece, brier.

    For two classes they are the positive class's; for more, means over the classes (`recall_at_fpr_5` is then None).
    Ranking metrics are None where a class has no row.
    """
    outcome = np.eye(scored.classes)[scored.truth]
    return {
        **_decisions(scored),
        **_rank(scored),
        "ece": expected_calibration_error(scored),
        "brier": float(np.mean(np.sum((scored.probabilities - outcome) ** 2, axis=1)) / 2),
    }


def _decisions(scored: Scored) -> Values:
    """What the confusion matrix gives. Not by scikit-learn, which checks its input for longer than it counts."""
    k = scored.classes
    confusion = np.bincount(scored.truth * k + scored.decided, minlength=k * k).reshape(k, k).astype(float)
    right, actual, said, n = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0), confusion.sum()
    by_class = {
        "precision": _quotient(right, said),
        "recall": _quotient(right, actual),
        "f1": _quotient(2 * right, actual + said),
    }
    # Gorodkin (2004), Comparing two K-category assignments.
    spread = (n**2 - said @ said) * (n**2 - actual @ actual)
    return {
        "accuracy": float(right.sum() / max(n, 1)),
        **{name: float(values[0] if k == 2 else values.mean()) for name, values in by_class.items()},
        "mcc": float((n * right.sum() - said @ actual) / np.sqrt(spread)) if spread else 0.0,
    }


def _quotient(part: Floats, whole: Floats) -> Floats:
    """`part / whole`, 0 where there is nothing."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def expected_calibration_error(scored: Scored, bins: int = _BINS) -> float:
    """Mean distance of stated probability and observed share over bins of equal mass (Nixon et al. 2019).

    Two classes: of the positive class's probability; more: of the most probable class's.
    """
    if scored.classes == 2:
        stated, happened = scored.probabilities[:, 0], scored.truth == 0
    else:
        stated, happened = scored.probabilities.max(axis=1), scored.truth == scored.probabilities.argmax(axis=1)
    order = np.argsort(stated, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(
        sum(len(part) * abs(stated[part].mean() - happened[part].mean()) for part in parts) / max(1, len(order))
    )


def intervals(scored: Scored, seed: int = 0, resamples: int = RESAMPLES) -> dict[str, list[float]]:
    """95% percentile bootstrap intervals [low, high] of every metric of `measure` that has a value."""
    random = np.random.default_rng(seed)
    draws = [measure(scored.take(_resample(scored.truth, random))) for _ in range(resamples)]
    return {name: bounds(values) for name in draws[0] if (values := _present(draws, name))}


def pr_auc_error(scored: Scored, seed: int = 0, resamples: int = 200) -> float:
    """The bootstrap standard error of `measure`'s PR-AUC; 0 where that has no value."""
    random = np.random.default_rng(seed)
    draws = [_rank(scored.take(_resample(scored.truth, random))) for _ in range(resamples)]
    values = _present(draws, "pr_auc")
    return float(np.std(values)) if values else 0.0


def bounds(values: Sequence[float]) -> list[float]:
    """The middle 95% of resampled values."""
    low, high = np.quantile(values, [0.025, 0.975])
    return [float(low), float(high)]


def _present(draws: Sequence[Mapping[str, float | None]], name: str) -> list[float]:
    return [value for draw in draws if (value := draw[name]) is not None]


def _resample(truth: Labels, random: np.random.Generator) -> NDArray[np.int64]:
    return random.integers(0, len(truth), len(truth))


def _rank(scored: Scored) -> Values:
    if scored.classes == 2:
        return _ranking((scored.truth == 0).astype(int), scored.probabilities[:, 0])
    return _mean_ranking(scored)


def _ranking(positive: NDArray[np.int64], score: Floats) -> Values:
    if positive.min(initial=1) == positive.max(initial=0):
        return {"roc_auc": None, "pr_auc": None, "recall_at_fpr_5": None}
    false, true, _ = sk.roc_curve(positive, score, drop_intermediate=False)
    return {
        "roc_auc": float(sk.auc(false, true)),
        "pr_auc": float(sk.average_precision_score(positive, score)),
        "recall_at_fpr_5": float(true[false <= _FALSE_POSITIVE_RATE].max()),
    }


def _mean_ranking(scored: Scored) -> Values:
    per_class = [
        _ranking((scored.truth == at).astype(int), scored.probabilities[:, at]) for at in range(scored.classes)
    ]
    return {
        "roc_auc": _mean([values["roc_auc"] for values in per_class]),
        "pr_auc": _mean([values["pr_auc"] for values in per_class]),
        "recall_at_fpr_5": None,
    }


def _mean(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return sum(present) / len(present) if present else None
