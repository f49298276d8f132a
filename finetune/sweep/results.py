"""What a sweep found: a table (JSON, Markdown), plots, and the best recipe as YAML."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import yaml

from finetune.recipe import Recipe
from finetune.sweep.plan import PARAMETERS, Stage
from finetune.sweep.plots import save_sensitivity
from finetune.sweep.run import Sweep, best_of
from finetune.sweep.store import Trial

TABLE_NAME = "results.json"
PAGE_NAME = "results.md"
BEST_NAME = "best.yaml"


def write_results(wanted: Sweep, trials: Sequence[Trial]) -> None:
    """Write `results.json`, `results.md`, `best.yaml` and a plot for each stage into the sweep's folder."""
    out = wanted.job.out
    (out / TABLE_NAME).write_text(json.dumps(table(wanted, trials), indent=1) + "\n", encoding="utf-8")
    (out / PAGE_NAME).write_text(write_page(wanted, trials), encoding="utf-8")
    best = best_of(trials)
    if best is None:
        return
    recipe = best.settings.recipe(wanted.job.recipe)
    (out / BEST_NAME).write_text(_yaml(recipe, best), encoding="utf-8")
    for stage in wanted.plan.stages:
        tried = stage_trials(stage, trials)
        if len(tried) > 1:
            save_sensitivity(stage.parameter, tried, out / f"{stage.parameter}.png")


def table(wanted: Sweep, trials: Sequence[Trial]) -> dict[str, Any]:
    """All trials with their settings and figures, the best one's settings, and how far the plan has come."""
    best = best_of(trials)
    return {
        "metric": "pr_auc of the best epoch on the early-stopping rows",
        "planned": wanted.planned,
        "finished": sum(trial.error is None for trial in trials),
        "best": None if best is None else {**asdict(best.settings), "pr_auc": best.pr_auc},
        "trials": [
            {"stage": t.stage, **asdict(t.settings), "pr_auc": t.pr_auc, **t.figures, "error": t.error} for t in trials
        ],
    }


def stage_trials(stage: Stage, trials: Sequence[Trial]) -> list[Trial]:
    """The trials that a stage compares, by value: its own and the one of an earlier stage that it started from."""
    own = [trial for trial in trials if trial.stage == stage.parameter and trial.error is None]
    if not own:
        return []
    alike = [trial for trial in trials if trial.error is None and _differs_only(trial, own[0], stage)]
    return sorted(alike, key=lambda trial: trial.settings.get(stage.parameter))


def _differs_only(one: Trial, other: Trial, stage: Stage) -> bool:
    return one.settings == other.settings.having(stage.parameter, one.settings.get(stage.parameter))


def write_page(wanted: Sweep, trials: Sequence[Trial]) -> str:
    """The table as Markdown, one row a trial."""
    best = best_of(trials)
    finished = sum(trial.error is None for trial in trials)
    lines = [f"# Sweep: {finished} of {wanted.planned} trials", ""]
    if best is not None:
        lines += [
            f"Best: `{best.settings.name}`, validation PR-AUC {best.pr_auc:.3f}; its recipe is `{BEST_NAME}`.",
            "",
        ]
    lines += ["| " + " | ".join(name for name, _ in _COLUMNS) + " |", "| --- " + "| ---: " * (len(_COLUMNS) - 1) + "|"]
    lines += ["| " + " | ".join(cell(trial) for _, cell in _COLUMNS) + " |" for trial in trials]
    failed = [f"- `{trial.settings.name}`: {trial.error}" for trial in trials if trial.error]
    resumed = ["`seconds` of a resumed trial (+) are those after its last stop."]
    lines += ["", *failed, *([] if not any(trial.figures.get("resumed") for trial in trials) else resumed)]
    return "\n".join(lines).rstrip() + "\n"


def _number(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _seconds(trial: Trial) -> str:
    return _number(trial.figures.get("seconds"), 0) + ("+" if trial.figures.get("resumed") else "")


_COLUMNS: list[tuple[str, Callable[[Trial], str]]] = [
    ("stage", lambda trial: trial.stage),
    *((name, lambda trial, name=name: f"{trial.settings.get(name):g}") for name in PARAMETERS),
    ("validation PR-AUC", lambda trial: "failed" if trial.error else _number(trial.pr_auc)),
    ("calibration PR-AUC", lambda trial: _number(trial.figures.get("calibration_pr_auc"))),
    ("calibration MCC", lambda trial: _number(trial.figures.get("calibration_mcc"))),
    ("seconds", _seconds),
    ("peak MB", lambda trial: _number(trial.figures.get("peak_memory_mb"), 0)),
]


def _yaml(recipe: Recipe, best: Trial) -> str:
    body: str = yaml.safe_dump(recipe.model_dump(), sort_keys=False)
    return f"# The best of a sweep: validation PR-AUC {best.pr_auc:.4f}. Train with it: --config {BEST_NAME}\n{body}"
