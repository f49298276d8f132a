"""A simple model of the same rows teaches first, the labels last.

A rare label says little: five thousand rows with 6% positive are three hundred bits of news. A simple model that was
fitted on other rows turns them into five thousand probabilities, which a language model learns from far sooner. Its
share falls from one to nothing over the training, so that it guides and does not bind (teacher annealing: Clark et al.
2019, "BAM! Born-Again Multi-Task Networks", arXiv:1907.04829).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from finetune.evaluation.baselines import boosted_fields, has_transactions, numbers_logistic, tfidf_logistic
from finetune.evaluation.metrics import Floats, Scored, measure
from finetune.labels import LabelSpace
from finetune.rows import Row
from finetune.splits import hold_out
from tools.fraud.number_levels import NumberLevels

_FOLDS = 5
_SURE = 1e-4

Fit = Callable[[Sequence[Row], Sequence[int], Sequence[Row], LabelSpace], Scored]


@dataclass(frozen=True)
class Teacher:
    """The best simple model's probability of the positive class for each training row, fitted on other rows."""

    name: str
    pr_auc: float
    probabilities: Floats

    def for_sample(self, negatives_left: float) -> Teacher:
        """The probabilities where only that share of the negative rows is drawn."""
        sure = np.clip(self.probabilities, _SURE, 1 - _SURE)
        odds = sure / (1 - sure) / negatives_left
        return replace(self, probabilities=odds / (1 + odds))


def find_teacher(rows: Sequence[Row], labels: LabelSpace, levels: NumberLevels | None, seed: int) -> Teacher | None:
    """The best by PR-AUC of five folds (groups stay together) among TF-IDF, numbers and fields, where those apply.

    None for more than two labels, or where a fold lacks one.
    """
    if not labels.binary:
        return None
    folds = _folds(rows, seed)
    if any(len({row.label for row in fold}) < 2 for fold in folds):
        return None
    found = [_taught(name, fit, rows, folds, labels) for name, fit in _models(rows, levels).items()]
    return max(found, key=lambda teacher: teacher.pr_auc)


def _models(rows: Sequence[Row], levels: NumberLevels | None) -> dict[str, Fit]:
    models: dict[str, Fit] = {"tfidf_lr": tfidf_logistic}
    if levels is not None:
        models["numbers_lr"] = partial(numbers_logistic, levels=levels)
    if has_transactions(rows):
        models["gradient_boosting"] = boosted_fields
    return models


def _folds(rows: Sequence[Row], seed: int) -> list[list[Row]]:
    folds: list[list[Row]] = []
    rest: Sequence[Row] = rows
    for left in range(_FOLDS, 1, -1):
        rest, part = hold_out(rest, 1 / left, seed)
        folds.append(part)
    return [*folds, list(rest)]


def _taught(name: str, fit: Fit, rows: Sequence[Row], folds: Sequence[Sequence[Row]], labels: LabelSpace) -> Teacher:
    positive: dict[int, float] = {}
    for fold in folds:
        inside = {row.number for row in fold}
        others = [row for row in rows if row.number not in inside]
        scored = fit(fold, [labels.index(row.label) for row in fold], others, labels)
        positive |= {row.number: float(score) for row, score in zip(fold, scored.probabilities[:, 0], strict=True)}
    found = np.array([positive[row.number] for row in rows])
    truth = np.array([labels.index(row.label) for row in rows])
    scored = Scored(truth, (found < 0.5).astype(int), np.column_stack([found, 1 - found]))
    return Teacher(name, measure(scored)["pr_auc"] or 0.0, found)
