"""Curves of a training run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def save_curves(history: Sequence[dict[str, float]], path: Path) -> None:
    """Loss, learning rate and validation metrics over the epochs, as a PNG."""
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    loss, rate, quality = figure.subplots(1, 3)
    _curve(loss, history, "loss", "training loss")
    _curve(rate, history, "learning_rate", "learning rate")
    for name in ("eval_pr_auc", "eval_roc_auc", "eval_mcc"):
        _curve(quality, history, name, "validation", label=name.removeprefix("eval_"))
    quality.legend()
    figure.savefig(path, dpi=110)


def _curve(axes: Any, history: Sequence[dict[str, float]], name: str, title: str, label: str | None = None) -> None:
    points = [(entry["epoch"], entry[name]) for entry in history if name in entry]
    axes.plot([x for x, _ in points], [y for _, y in points], marker="." if label else None, label=label)
    axes.set_title(title)
    axes.set_xlabel("epoch")
