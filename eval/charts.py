"""Pictures of an evaluation. matplotlib is not in the base set, so it is imported when a picture is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eval.gate import Limits
from eval.metrics import METRICS
from eval.outcomes import Evaluation
from tools.errors import SwitchyardError

_OURS, _SIMPLE, _LIMIT = "#1f5fa8", "#b9bfc6", "#c0392b"


class MissingDependencyError(SwitchyardError):
    """A package of an extra is not installed."""

    code = "missing_dependency"


def draw_figures(evaluation: Evaluation, limits: Limits, path: Path) -> None:
    """Draw every figure as a bar with its interval, its limit and the baseline's bar; write a PNG to `path`.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    plot = pyplot()
    measures = evaluation.measures[::-1]
    simple = {measure.key: measure.value for measure in evaluation.baseline}
    figure, axes = plot.subplots(figsize=(8, 0.42 * len(measures) + 1.2), layout="constrained")
    for row, measure in enumerate(measures):
        spread = [[measure.value - measure.low], [measure.high - measure.value]]
        ours = axes.barh(row + 0.18, measure.value, 0.34, xerr=spread, color=_OURS, error_kw={"lw": 1, "capsize": 2})
        if measure.key in simple:
            axes.barh(row - 0.18, simple[measure.key], 0.3, color=_SIMPLE)
        limit = limits.floors.get(measure.key, limits.ceilings.get(measure.key))
        if limit is not None:
            axes.plot([limit, limit], [row - 0.38, row + 0.38], color=_LIMIT, lw=1.5)
        axes.bar_label(ours, [f"{measure.value:.2f}"], padding=3, fontsize=8)
    axes.set_yticks(range(len(measures)), [f"{METRICS[m.metric].title} ({m.route}, n={m.n})" for m in measures])
    axes.set_xlim(0, 1.12)
    axes.spines[["top", "right"]].set_visible(False)
    handles = [plot.Rectangle((0, 0), 1, 1, color=color) for color in (_OURS, _SIMPLE, _LIMIT)]
    names = ["Switchyard, 95% interval", "keywords + BM25", "limit of the gate"]
    figure.legend(handles, names, loc="outside upper center", ncols=3, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without a date inside, the same figures give the same bytes.
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plot.close(figure)


def pyplot() -> Any:
    """matplotlib, drawing to files.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise MissingDependencyError(
            "Drawing needs matplotlib. Install it with: .venv/bin/python -m pip install 'matplotlib>=3.10'"
        ) from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
