"""ROC, precision-recall, reliability, cost by threshold, and confusion, as PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn import metrics as sk

from finetune.evaluation.metrics import Scored

_COST_RATIOS = (1, 2, 5, 10)
_BINS = 10


def save_plots(scored: Scored, threshold: float, folder: Path) -> list[Path]:
    """Draw what applies (for more than two classes only the confusion); returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = [_confusion(scored, folder / "confusion.png")]
    positive = scored.truth == 0
    if scored.classes == 2 and positive.any() and not positive.all():
        probability = scored.probabilities[:, 0]
        drawn += [
            _roc(positive, probability, folder / "roc.png"),
            _precision_recall(positive, probability, folder / "precision-recall.png"),
            _reliability(positive, probability, folder / "reliability.png"),
            _costs(positive, probability, threshold, folder / "threshold-cost.png"),
        ]
    return drawn


def _axes(title: str, x: str, y: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(4.4, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def _saved(figure: Figure, path: Path) -> Path:
    figure.savefig(path, dpi=90)
    return path


def _roc(positive: Any, probability: Any, path: Path) -> Path:
    figure, axes = _axes("ROC", "false positive rate", "true positive rate")
    false, true, _ = sk.roc_curve(positive, probability)
    axes.plot(false, true)
    axes.plot([0, 1], [0, 1], linestyle=":")
    return _saved(figure, path)


def _precision_recall(positive: Any, probability: Any, path: Path) -> Path:
    figure, axes = _axes("Precision and recall", "recall", "precision")
    precision, recall, _ = sk.precision_recall_curve(positive, probability)
    axes.plot(recall, precision)
    axes.set_ylim(0, 1.02)
    return _saved(figure, path)


def _reliability(positive: Any, probability: Any, path: Path) -> Path:
    figure, axes = _axes("Reliability", "stated probability", "observed share")
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, _BINS) if len(part)]
    axes.plot([probability[part].mean() for part in parts], [positive[part].mean() for part in parts], marker="o")
    axes.plot([0, 1], [0, 1], linestyle=":")
    return _saved(figure, path)


def _costs(positive: Any, probability: Any, threshold: float, path: Path) -> Path:
    figure, axes = _axes("Cost by threshold", "threshold", "cost per row, in false alarms")
    thresholds = np.linspace(0.01, 0.99, 99)
    for ratio in _COST_RATIOS:
        costs = [_cost(positive, probability >= at, ratio) for at in thresholds]
        axes.plot(thresholds, costs, label=f"a miss costs {ratio}")
    axes.axvline(threshold, linestyle=":")
    axes.legend()
    return _saved(figure, path)


def _cost(positive: Any, flagged: Any, ratio: float) -> float:
    return float(np.mean(ratio * (positive & ~flagged) + (~positive & flagged)))


def _confusion(scored: Scored, path: Path) -> Path:
    figure, axes = _axes("Confusion", "decided", "truth")
    counts = sk.confusion_matrix(scored.truth, scored.decided, labels=range(scored.classes))
    axes.imshow(counts, cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        axes.text(column, row, str(count), ha="center", va="center")
    axes.set_xticks(range(scored.classes))
    axes.set_yticks(range(scored.classes))
    return _saved(figure, path)
