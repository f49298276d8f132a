from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from bitsandbytes.nn import Linear4bit
from gguf import GGUFReader
from safetensors.torch import load_file

from finetune.base import load_model
from finetune.errors import RowsError, TrainingError
from finetune.evaluation.metrics import Scored, intervals, measure
from finetune.export.gguf_lora import write_gguf_lora
from finetune.rows import Row, read_rows
from finetune.scoring import open_scorer
from finetune.task import load_task
from finetune.training.prepare import CHECKPOINTS, Job
from finetune.training.progress import read_history
from finetune.training.run import train
from tests.finetune.conftest import RECIPE, write_rows

KILLED_AFTER_A_CHECKPOINT = """
import os, signal
from finetune.training.progress import Progress
Progress.on_save = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
from finetune.cli import main
main()
"""


def test_a_run_learns_and_leaves_everything_behind(job: Job, trained: Path) -> None:
    report = json.loads((trained / "training.json").read_text())
    history = [json.loads(line) for line in (trained / "history.jsonl").read_text().splitlines()]
    validation = [entry["eval_pr_auc"] for entry in history if "eval_pr_auc" in entry]
    assert len(validation) == 3
    assert validation[-1] > 0.9
    assert len(list((trained / CHECKPOINTS).glob("checkpoint-*"))) == 3
    assert report["rows"]["train"] + report["rows"]["early_stopping"] + report["rows"]["calibration"] == 80
    assert report["tokens_per_s"] > 0
    assert report["peak_memory_mb"] > 0
    assert (trained / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert list((trained.parent / "mlruns").rglob("training.json"))
    config = json.loads((trained / "adapter_config.json").read_text())
    assert config["layers_to_transform"] == [1, 2, 3]


def test_the_saved_adapter_scores_as_trained(job: Job, trained: Path) -> None:
    task = load_task(trained)
    rows = list(job.rows)[:40]
    scores = open_scorer(trained, task, job.base).score([row.text for row in rows])
    truth = [task.labels.index(row.label) for row in rows]
    ranking = measure(task.decision.apply(scores.logits, truth))
    assert (ranking["roc_auc"] or 0) > 0.9


def test_a_killed_run_is_resumed(job: Job, trained: Path, rows_file: Path, tmp_path: Path) -> None:
    """SIGKILL after the first epoch's checkpoint, and a second one of which only a part was written."""
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(RECIPE.model_dump()))
    command = [
        *(sys.executable, "-c", KILLED_AFTER_A_CHECKPOINT, "train", "--data", str(rows_file), "--out", "run"),
        *("--config", "recipe.yaml", "--base", str(job.base.gguf)),
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "SWITCHYARD_DATA_DIR": "data"}
    killed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    checkpoints = tmp_path / "run" / CHECKPOINTS
    (first,) = checkpoints.glob("checkpoint-*")
    step = int(first.name.partition("-")[2])
    for number, state in ((2, None), (3, '{"epoch":')):
        cut_off = checkpoints / f"checkpoint-{number * step}"
        cut_off.mkdir()
        (cut_off / "adapter_model.safetensors").write_bytes((first / "adapter_model.safetensors").read_bytes()[:999])
        if state is not None:
            (cut_off / "trainer_state.json").write_text(state)

    resumed = train(replace(job, out=tmp_path / "run"))
    assert resumed.report["epochs"] == 3
    evaluated = [entry["step"] for entry in read_history(resumed.folder) if "eval_pr_auc" in entry]
    assert evaluated == [step, 2 * step, 3 * step]
    unseen = read_rows(write_rows(tmp_path / "unseen.jsonl", seed=7))
    uninterrupted = intervals(scored(job, trained, unseen), resamples=100)
    measured = measure(scored(job, resumed.folder, unseen))
    assert {
        name: low <= (measured[name] or 0.0) <= high for name, (low, high) in uninterrupted.items()
    } == dict.fromkeys(uninterrupted, True)


def scored(job: Job, adapter: Path, rows: Sequence[Row]) -> Scored:
    task = load_task(adapter)
    logits = open_scorer(adapter, task, job.base).score([row.text for row in rows]).logits
    return task.decision.apply(logits, [task.labels.index(row.label) for row in rows])


def test_another_runs_checkpoints_are_not_resumed(job: Job, trained: Path) -> None:
    with pytest.raises(TrainingError, match="another run") as caught:
        train(replace(job, recipe=RECIPE.model_copy(update={"rank": 2})))
    assert caught.value.code == "another_run"


def test_over_length_rows_fail_before_training(job: Job, tmp_path: Path) -> None:
    with pytest.raises(RowsError, match="max_length"):
        train(replace(job, recipe=RECIPE.model_copy(update={"max_length": 20}), out=tmp_path / "run"))
    assert not (tmp_path / "run" / CHECKPOINTS).exists()


def test_too_few_rows_of_a_label_fail_before_training(job: Job, tmp_path: Path) -> None:
    validation = [row for row in job.rows if row.label == "0"][:20]
    with pytest.raises(RowsError, match="one label only") as caught:
        train(replace(job, validation=validation, out=tmp_path / "run"))
    assert caught.value.code == "too_few_rows"


def test_max_steps_and_averaging(job: Job, tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"average": True, "first_layer": 0, "negatives_per_positive": 1.0})
    outcome = train(replace(job, recipe=recipe, out=tmp_path / "run", max_steps=4))
    assert outcome.report["best_checkpoint"] in {"averaged", "checkpoint-4"} | {
        path.name for path in (tmp_path / "run" / CHECKPOINTS).glob("checkpoint-*")
    }


def test_mixed_precision_reaches_the_layers(job: Job, tmp_path: Path) -> None:
    weights: dict[str, list[float]] = {}
    for precision in ("fp32", "bf16"):
        out = tmp_path / precision
        recipe = RECIPE.model_copy(update={"precision": precision, "epochs": 1})
        train(replace(job, recipe=recipe, out=out, max_steps=4))
        adapter = load_file(out / "adapter_model.safetensors")
        weights[precision] = [float(tensor.norm()) for _, tensor in sorted(adapter.items())]
    assert weights["bf16"] != weights["fp32"]
    assert weights["bf16"] == pytest.approx(weights["fp32"], rel=0.05, abs=0.01)


def test_four_bit_weights_are_trained_on_a_cpu_too(job: Job, tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"four_bit": True, "first_layer": 0, "epochs": 1})
    four_bit = replace(job, out=tmp_path / "q", recipe=recipe, max_steps=4)
    outcome = train(four_bit)
    assert isinstance(load_model(job.base, four_bit=True).model.layers[0].self_attn.q_proj, Linear4bit)
    history = [json.loads(line) for line in (tmp_path / "q" / "history.jsonl").read_text().splitlines()]
    assert history[-1]["step"] == 4
    assert outcome.report["recipe"]["four_bit"] is True
    assert job.base.gguf
    write_gguf_lora(tmp_path / "q", job.base.gguf, tmp_path / "q.gguf")
    trained = {tensor.name: tensor.data for tensor in GGUFReader(tmp_path / "q.gguf").tensors}
    assert max(float(np.abs(weights).max()) for name, weights in trained.items() if name.endswith("lora_b")) > 0
    scores = open_scorer(tmp_path / "q", outcome.task, job.base).score([row.text for row in list(job.rows)[:4]])
    assert np.isfinite(scores.logits).all()
