from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from finetune.errors import OutOfMemoryError, RecipeError, RowsError, TrainingError
from finetune.recipe import load_recipe
from finetune.rows import Row
from finetune.sweep.plan import Plan, Stage
from finetune.sweep.results import publish, stage_trials, write_results
from finetune.sweep.run import TRIALS, Sweep, sample, sweep
from finetune.sweep.store import Trial
from finetune.training.prepare import Job
from finetune.training.run import Outcome
from finetune.training.run import train as really_train

STAGES = [Stage(parameter="rank", values=[2, 4]), Stage(parameter="learning_rate", values=[1e-3, 2e-2])]
PLAN = Plan(stages=STAGES)
RECIPE = "rank: 4\nalpha: 8\nepochs: 1\nbatch_size: 4\nlearning_rate: 0.02\nfirst_layer: 1\nthreads: 1\n"


@pytest.fixture(scope="module")
def small(job: Job, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "recipe.yaml").write_text(RECIPE)
    return Sweep(replace(job, recipe=load_recipe(folder / "recipe.yaml"), out=folder / "out"), PLAN)


@pytest.fixture(scope="module")
def trials(small: Sweep) -> list[Trial]:
    return sweep(small, lambda trials: write_results(small, trials))


def elsewhere(small: Sweep, out: Path, **changes: object) -> Sweep:
    return replace(small, job=replace(small.job, out=out, **changes))


def never_train(job: Job) -> Outcome:
    raise AssertionError(f"trained again: {job.out.name}")


def test_every_stage_goes_on_from_the_best_before(trials: list[Trial]) -> None:
    assert [trial.stage for trial in trials] == ["rank", "rank", "learning_rate"]
    best_rank = max(trials[:2], key=lambda trial: trial.pr_auc or 0).settings.rank
    assert {trial.settings.rank for trial in trials[2:]} == {best_rank}
    assert trials[2].settings.learning_rate == 1e-3
    assert all(trial.figures["seconds"] > 0 and trial.figures["peak_memory_mb"] > 0 for trial in trials)
    second_stage = stage_trials(STAGES[1], trials)
    assert [trial.settings.learning_rate for trial in second_stage] == [1e-3, 2e-2]


def test_results_are_written(small: Sweep, trials: list[Trial]) -> None:
    out = small.job.out
    table = json.loads((out / "results.json").read_text())
    assert (table["planned"], table["finished"], len(table["trials"])) == (3, 3, 3)
    assert table["best"]["pr_auc"] == max(trial["pr_auc"] for trial in table["trials"])
    page = (out / "results.md").read_text()
    assert page.startswith("# Sweep: 3 of 3 trials")
    assert len([line for line in page.splitlines() if line.startswith(("| rank", "| learning_rate"))]) == 3
    for parameter in ("rank", "learning_rate"):
        assert (out / f"{parameter}.png").read_bytes().startswith(b"\x89PNG")
    assert load_recipe(out / "best.yaml").rank == table["best"]["rank"]
    assert not list((out / TRIALS).glob("*/checkpoints"))


def test_finished_trials_are_not_repeated(small: Sweep, trials: list[Trial], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finetune.sweep.run.train", never_train)
    assert sweep(small) == trials


def test_a_longer_plan_trains_only_what_is_new(
    small: Sweep, trials: list[Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finetune.sweep.run.train", never_train)
    with pytest.raises(AssertionError, match=r"trained again: rank.*-epochs2"):
        sweep(replace(small, plan=Plan(stages=[*STAGES, Stage(parameter="epochs", values=[1, 2])])))


def test_other_rows_need_another_folder(small: Sweep, trials: list[Trial]) -> None:
    with pytest.raises(TrainingError, match="another --out"):
        sweep(elsewhere(small, small.job.out, rows=list(small.job.rows)[:60]))


def test_out_of_memory_fails_a_trial_not_the_sweep(
    small: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def small_machine(job: Job) -> Outcome:
        if job.recipe.rank == 4:
            raise OutOfMemoryError("Lower batch_size.")
        return really_train(job)

    monkeypatch.setattr("finetune.sweep.run.train", small_machine)
    wanted = replace(elsewhere(small, tmp_path / "out"), plan=Plan(stages=STAGES[:1]))
    found = sweep(wanted, lambda trials: write_results(wanted, trials))
    assert [trial.error is None for trial in found] == [True, False]
    page = (tmp_path / "out" / "results.md").read_text()
    assert "| failed |" in page
    assert "ran out of memory" in page


def test_a_stage_without_any_trial_ends_the_sweep(
    small: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_machine(job: Job) -> Outcome:
        raise OutOfMemoryError("Lower batch_size.")

    monkeypatch.setattr("finetune.sweep.run.train", no_machine)
    with pytest.raises(TrainingError, match="No value of rank could be trained"):
        sweep(elsewhere(small, tmp_path / "out"))


def test_a_value_out_of_range_stops_before_anything_is_trained(small: Sweep, tmp_path: Path) -> None:
    plan = Plan(stages=[*STAGES, Stage(parameter="rank", values=[5000])])
    with pytest.raises(RecipeError, match="rank5000"):
        sweep(replace(elsewhere(small, tmp_path / "out"), plan=plan))
    assert not (tmp_path / "out").exists()


def test_a_killed_sweep_goes_on(small: Sweep, trials: list[Trial], rows_file: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "plan.yaml").write_text(PLAN.model_dump_json())
    command = [
        *(sys.executable, "-m", "finetune", "sweep", "--data", str(rows_file), "--out", "out"),
        *("--config", "recipe.yaml", "--plan", "plan.yaml", "--base", str(small.job.base.gguf)),
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "SWITCHYARD_DATA_DIR": "data"}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    first = tmp_path / "out" / TRIALS / "rank2-lr0.02-epochs1-alpha2-batch4" / "task.json"
    second = tmp_path / "out" / TRIALS / "rank4-lr0.02-epochs1-alpha2-batch4"
    started = time.monotonic()
    while not second.exists() and process.poll() is None and time.monotonic() - started < 120:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    said = process.communicate()[1]
    assert process.returncode == -signal.SIGKILL, said
    written = first.stat().st_mtime_ns
    resumed = sweep(elsewhere(small, tmp_path / "out"))
    assert first.stat().st_mtime_ns == written
    assert [trial.settings for trial in resumed] == [trial.settings for trial in trials]
    assert [trial.pr_auc for trial in resumed] == pytest.approx([trial.pr_auc for trial in trials], abs=0.05)


@pytest.mark.parametrize(("most", "expected"), [(None, 80), (500, 80), (56, 56)])
def test_a_sample_keeps_customers_together(job: Job, most: int | None, expected: int) -> None:
    kept = sample(job.rows, most, seed=1)
    assert abs(len(kept) - expected) <= 4
    customers = {row.attributes["customer"] for row in kept}
    assert len([row for row in job.rows if row.attributes["customer"] in customers]) == len(kept)


def test_a_sample_without_enough_of_a_label_is_refused(job: Job) -> None:
    with pytest.raises(RowsError, match="Raise --max-rows") as caught:
        sample(job.rows, 20, seed=1)
    assert caught.value.code == "too_few_rows"
    with pytest.raises(RowsError, match="0 rows are left"):
        sample([*job.rows, Row("x", "2", 81)], 40, seed=1)


def test_the_page_in_the_documentation_shows_its_pictures(small: Sweep, trials: list[Trial], tmp_path: Path) -> None:
    page = publish(small, trials, tmp_path)
    pictures = re.findall(r"\]\((images/[^)]+)\)", page.read_text())
    assert [Path(picture).stem for picture in pictures] == ["rank", "learning_rate"]
    assert all((tmp_path / picture).stat().st_size > 1000 for picture in pictures)
    assert json.loads((tmp_path / "results/finetune-sweep.json").read_text())["finished"] == len(trials)


def test_max_trials_counts_finished_ones(small: Sweep, trials: list[Trial], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finetune.sweep.run.train", never_train)
    assert len(sweep(replace(small, max_trials=2))) == 3
    assert replace(small, max_trials=2).planned == 2


def test_max_trials_stops_early(small: Sweep, tmp_path: Path) -> None:
    wanted = replace(elsewhere(small, tmp_path / "out"), max_trials=1)
    assert len(sweep(wanted, lambda trials: write_results(wanted, trials))) == 1
    assert (tmp_path / "out" / "results.md").read_text().startswith("# Sweep: 1 of 1 trials")
    assert not (tmp_path / "out" / "rank.png").exists()
