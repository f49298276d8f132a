"""More than two labels: trained, evaluated and scored from the command line, not exported."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from finetune.base import Base
from finetune.cli import app

RECIPE = "rank: 4\nalpha: 8\nepochs: 4\nbatch_size: 4\nlearning_rate: 0.02\nfirst_layer: 1\nthreads: 1\n"
TIMES = {"low": "noon", "middle": "morning", "high": "night"}


def write_rows(path: Path, rows: int, seed: int) -> Path:
    random = np.random.default_rng(seed)
    lines: list[str] = []
    for number in range(rows):
        label = list(TIMES)[number % 3]
        text = f"{random.integers(10, 999)} EUR, {TIMES[label]}, {random.integers(1, 99)} times."
        lines.append(json.dumps({"text": text, "label": label, "customer": f"C{number}"}))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.timeout(600)
def test_three_labels_from_rows_to_scores(
    tiny_base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few_resamples: None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(tmp_path / "data"))
    write_rows(tmp_path / "train.jsonl", 120, 1)
    write_rows(tmp_path / "test.jsonl", 30, 2)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    steps = [
        ["train", "--task", "risk", "--data", "train.jsonl", "--config", "recipe.yaml", "--base", str(tiny_base.gguf)],
        ["evaluate", "--adapter", "a", "--data", "test.jsonl", "--train-data", "train.jsonl"],
        ["score", "--adapter", "a", "--data", "test.jsonl"],
        ["compare", "report.json", "report.json"],
        ["report", "report.json", "--out", "page.md"],
    ]
    steps[0] += ["--out", "a"]
    for step in steps:
        result = CliRunner().invoke(app, step)
        assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "report.json").read_text())
    assert set(report["adapter"]["classes"]) == set(TIMES)
    assert report["accuracy"] > 0.8
    assert {"majority", "tfidf_lr", "base_model", "base_few_shot"} <= report["baselines"].keys()
    assert report["training"]["threshold_cost"] is None
    lines = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    assert sum(Counter(line["label"] for line in lines).values()) == 30
    assert all(1 / 3 < line["probability"] <= 1 for line in lines)

    for refused, said in (
        (["export", "--adapter", "a", "--data", "test.jsonl"], "serving decides between two labels"),
        (
            ["evaluate", "--adapter", "a", "--data", "test.jsonl", "--deployed-rate", "0.1"],
            "share of one of two labels",
        ),
    ):
        result = CliRunner().invoke(app, refused)
        assert result.exit_code == 1
        assert said in result.stderr
