"""How much a setting matters: quality, time and memory over its values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from finetune.sweep.plan import Parameter
from finetune.sweep.store import Trial

_LOGARITHMIC = frozenset({"rank", "learning_rate", "alpha_per_rank", "batch_size"})


def save_sensitivity(parameter: Parameter, trials: Sequence[Trial], path: Path) -> None:
    """Draw PR-AUC, seconds and peak memory of trials that differ in one setting only."""
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    quality, seconds, memory = figure.subplots(1, 3)
    values = [trial.settings.get(parameter) for trial in trials]
    quality.plot(values, [trial.pr_auc for trial in trials], marker="o", label="validation")
    _line(quality, values, trials, "calibration_pr_auc", "calibration")
    quality.legend()
    _line(seconds, values, trials, "seconds")
    _line(memory, values, trials, "peak_memory_mb")
    for axes, title in ((quality, "PR-AUC"), (seconds, "seconds"), (memory, "peak memory (MB)")):
        axes.set(title=title, xlabel=parameter.replace("_", " "))
        if parameter in _LOGARITHMIC:
            axes.set_xscale("log")
        axes.set_xticks(values, [f"{value:g}" for value in values])
        axes.minorticks_off()
    figure.savefig(path, dpi=110)


def _line(axes: Any, values: Sequence[float], trials: Sequence[Trial], name: str, label: str | None = None) -> None:
    figures = [trial.figures.get(name) for trial in trials]
    axes.plot(values, [float("nan") if figure is None else figure for figure in figures], marker="o", label=label)
