"""A staged sweep: every stage tries values of one setting with the best of the stages before."""

from __future__ import annotations

import gc
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from finetune.base import open_base
from finetune.console import cache_folder, data_folder
from finetune.errors import OutOfMemoryError, RowsError, TrainingError
from finetune.recipe import Recipe
from finetune.rows import Row, read_rows, rows_sha256
from finetune.splits import hold_out
from finetune.sweep.plan import Plan, Settings, Stage, settings_of
from finetune.sweep.store import Store, Trial, locked
from finetune.training.prepare import Job
from finetune.training.progress import read_history
from finetune.training.run import Outcome, train

TRIALS = "trials"
_RARE = 12
_SELECTED = "eval_pr_auc"


@dataclass(frozen=True)
class Sweep:
    """A job whose `out` is the sweep's folder and whose recipe is where the sweep starts, and what to try.

    `max_trials` counts finished trials, those of earlier calls included.
    """

    job: Job
    plan: Plan
    max_trials: int | None = None

    @property
    def planned(self) -> int:
        """Trials until the plan, or `max_trials`, is done."""
        return min(self.plan.trials(settings_of(self.job.recipe)), self.max_trials or sys.maxsize)


def sweep(wanted: Sweep, changed: Callable[[Sequence[Trial]], None] = lambda trials: None) -> list[Trial]:
    """Run what is left of the sweep in the folder; the finished trials, earlier calls' too.

    A killed sweep goes on with the epoch at which its last trial stopped. A trial that runs out of memory is kept as
    failed and the sweep goes on. `changed` hears of all trials after each. Raises RowsError, RecipeError, or
    TrainingError (another sweep's folder, a sweep that is running there, a stage of which no trial worked).
    """
    _check(wanted)
    with locked(wanted.job.out), _progress() as shown:
        store = Store(wanted.job.out, _identity(wanted.job))
        bar = shown.add_task("sweep", total=wanted.planned, completed=len(_worked(store.trials())))

        def finished(trial: Trial) -> None:
            store.add(trial)
            shown.update(bar, completed=len(_worked(store.trials())), description=_described(store.trials()))
            changed(store.trials())

        changed(store.trials())
        _stages(wanted, store, finished)
        return store.trials()


def sample(rows: Sequence[Row], most: int | None, seed: int) -> Sequence[Row]:
    """About `most` of the rows, drawn by seed; a customer's rows stay together.

    Raises RowsError when a label keeps fewer than 12 rows.
    """
    kept = rows if most is None or most >= len(rows) else hold_out(rows, most / len(rows), seed)[1]
    counts = {row.label: 0 for row in rows}
    for row in kept:
        counts[row.label] += 1
    rarest = min(counts, key=counts.__getitem__)
    if counts[rarest] < _RARE:
        raise RowsError(
            f"Of the label {rarest!r} {counts[rarest]} rows are left, a sweep needs {_RARE}. Raise --max-rows or give "
            "more rows of that label.",
            code="too_few_rows",
        )
    return kept


def sampled_job(
    data: Path,
    validation: Path | None,
    most: int | None,
    *,
    recipe: Recipe,
    base: str | None,
    task: str,
    positive: str | None,
    out: Path,
) -> Job:
    """A job over about `most` rows of a file, tracked in the data folder: what sweeps and ablations train from.

    Raises RowsError or RecipeError for files that cannot be used.
    """
    rows = sample(read_rows(data), most, recipe.seed)
    held_out = None if validation is None else read_rows(validation)
    model = open_base(base, cache_folder())
    return Job(task, rows, held_out, model, recipe, out, positive, tracking=data_folder() / "mlruns")


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The trial with the highest PR-AUC, of equal ones the first."""
    return max(_worked(trials), key=lambda trial: trial.pr_auc or 0.0, default=None)


def _check(wanted: Sweep) -> None:
    """Before anything is trained: every value of the plan fits the recipe."""
    start = settings_of(wanted.job.recipe)
    for stage in wanted.plan.stages:
        for value in stage.values:
            start.having(stage.parameter, value).recipe(wanted.job.recipe)


def _stages(wanted: Sweep, store: Store, finished: Callable[[Trial], None]) -> None:
    best = settings_of(wanted.job.recipe)
    for stage in wanted.plan.stages:
        tried: list[Trial] = []
        for settings in (best.having(stage.parameter, value) for value in stage.values):
            trial = store.find(settings)
            if trial is None:
                if len(_worked(store.trials())) >= wanted.planned:
                    return
                job = _job(wanted, settings)
                trial = _train(job, stage, settings)
                finished(trial)
                # Only now: until the trial is stored, a killed sweep goes on from them.
                shutil.rmtree(job.checkpoints, ignore_errors=True)
                gc.collect()
            tried.append(trial)
        before = store.find(best)
        found = best_of(tried if before is None else [*tried, before])
        if found is None:
            raise TrainingError(
                f"No value of {stage.parameter} could be trained: {tried[0].error} Change the recipe (--config) or "
                "the plan (--plan).",
                code="no_trial",
            )
        best = found.settings


def _job(wanted: Sweep, settings: Settings) -> Job:
    out = wanted.job.out / TRIALS / settings.name
    return replace(wanted.job, recipe=settings.recipe(wanted.job.recipe), out=out)


def _train(job: Job, stage: Stage, settings: Settings) -> Trial:
    resumed = any(job.checkpoints.glob("checkpoint-*"))
    try:
        outcome = train(job)
    except OutOfMemoryError as error:
        return Trial(stage.parameter, settings, None, {"resumed": resumed}, error.message)
    return Trial(stage.parameter, settings, _selected(outcome), {**_figures(outcome), "resumed": resumed})


def _selected(outcome: Outcome) -> float:
    return max(entry[_SELECTED] for entry in read_history(outcome.folder) if _SELECTED in entry)


def _figures(outcome: Outcome) -> dict[str, Any]:
    names = ("seconds", "peak_memory_mb", "tokens_per_s", "epochs")
    calibration = {f"calibration_{name}": value for name, value in outcome.task.metrics.items()}
    return {**{name: outcome.report[name] for name in names}, **calibration}


def _identity(job: Job) -> dict[str, Any]:
    rest = job.recipe.model_dump(exclude={"rank", "alpha", "learning_rate", "epochs", "batch_size", "threads"})
    rows = [rows_sha256(part) for part in (job.rows, job.validation or ())]
    return {"task": job.task, "rows": rows, "base": job.base.sha256, "recipe": rest, "max_steps": job.max_steps}


def _worked(trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.error is None]


def _described(trials: Sequence[Trial]) -> str:
    best = best_of(trials)
    return "sweep" if best is None else f"best PR-AUC {best.pr_auc:.3f} ({best.settings.name})"


def _progress() -> AbstractContextManager[Progress]:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, TimeRemainingColumn(), console=Console(file=sys.stderr))
