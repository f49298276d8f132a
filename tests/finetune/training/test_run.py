from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from bitsandbytes.nn import Linear4bit
from gguf import GGUFReader

from finetune.base import load_model
from finetune.errors import RowsError, TrainingError
from finetune.evaluation.metrics import measure
from finetune.export.gguf_lora import write_gguf_lora
from finetune.scoring import open_scorer
from finetune.task import load_task
from finetune.training.prepare import CHECKPOINTS, Job
from finetune.training.run import train
from tests.finetune.conftest import RECIPE


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


def test_a_killed_run_is_resumed(job: Job, trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(trained, out)
    numbers = sorted(int(path.name.partition("-")[2]) for path in (out / CHECKPOINTS).glob("checkpoint-*"))
    shutil.rmtree(out / CHECKPOINTS / f"checkpoint-{numbers[-1]}")
    for left in ("adapter_model.safetensors", "task.json"):
        (out / left).unlink()
    resumed = train(replace(job, out=out))
    steps = [json.loads(line)["step"] for line in (out / "history.jsonl").read_text().splitlines()]
    assert steps == sorted(steps)
    assert resumed.report["epochs"] == 3
    before = json.loads((trained / "training.json").read_text())["calibration_split"]
    assert resumed.report["calibration_split"]["roc_auc"] == pytest.approx(before["roc_auc"], abs=0.05)


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


def test_running_out_of_memory_says_what_to_lower(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("finetune.training.trainer.label_logits", exhausted)
    with pytest.raises(TrainingError, match="Lower batch_size"):
        train(replace(job, out=tmp_path / "run"))


def test_max_steps_and_averaging(job: Job, tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"average": True, "first_layer": 0, "negatives_per_positive": 1.0})
    outcome = train(replace(job, recipe=recipe, out=tmp_path / "run", max_steps=4))
    assert outcome.report["best_checkpoint"] in {"averaged", "checkpoint-4"} | {
        path.name for path in (tmp_path / "run" / CHECKPOINTS).glob("checkpoint-*")
    }


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
