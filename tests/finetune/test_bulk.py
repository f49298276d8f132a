from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from finetune.base import Base
from finetune.bulk import compare, score_in_bulk
from finetune.calibrate import Decision
from finetune.scoring import Scorer, Scores, open_scorer
from finetune.task import load_task
from finetune.training.prepare import Job
from tools.fraud.calibration import Calibration

PLAIN = Decision(Calibration(), 0.5)


def scores(margins: list[float]) -> Scores:
    return Scores(np.array([[margin, 0.0] for margin in margins]), np.ones(len(margins), dtype=bool), 1.0, 1)


def test_int8_scores_stand_in_for_float_scores_and_every_row_is_told_as_done(job: Job, trained: Path) -> None:
    task = load_task(trained)
    scorer = open_scorer(trained, task, job.base)
    texts = [row.text for row in job.rows]
    done: list[int] = []
    bulk = score_in_bulk(scorer, task.decision, texts, done.append)
    assert bulk.precision == "int8"
    assert compare(scorer.score(texts), bulk.scores, task.decision).passed
    assert sum(done) == len(texts)


def test_a_model_that_int8_distorts_is_scored_in_float(job: Job, trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "base"
    shutil.copytree(job.base.folder, folder)
    weights = load_file(folder / "model.safetensors")
    for name, weight in weights.items():
        # One value is huge, and nobody reads it.
        if name.endswith("layernorm.weight"):
            weight[0] *= 3000
        elif name.endswith(("q_proj.weight", "k_proj.weight", "v_proj.weight", "gate_proj.weight", "up_proj.weight")):
            weight[:, 0] = 0
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    scorer = Scorer(Base("outliers", folder, None, job.base.sha256), load_task(trained).prompt, 512)
    texts = [row.text for row in job.rows]
    bulk = score_in_bulk(scorer, PLAIN, texts)
    assert bulk.precision == "float32"
    assert not bulk.parity.passed
    np.testing.assert_allclose(bulk.scores.logits, scorer.score(texts).logits, atol=1e-4)


@pytest.mark.parametrize(
    ("fast", "passed"),
    [
        ([2.0, -2.0] * 50, True),
        ([2.05, -2.05] * 50, True),
        ([2.5, -1.5] * 50, False),
        ([-2.0, -2.0] + [2.0, -2.0] * 49, True),
        ([-2.0, 2.0] + [2.0, -2.0] * 49, False),
    ],
)
def test_labels_and_probabilities_must_agree(fast: list[float], passed: bool) -> None:
    assert compare(scores([2.0, -2.0] * 50), scores(fast), PLAIN).passed is passed
