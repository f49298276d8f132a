"""The commands in the order in which a person calls them, on a tiny model."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from finetune.base import Base
from finetune.cli import app
from tests.finetune.conftest import write_rows

RECIPE = "rank: 4\nalpha: 8\nepochs: 3\nbatch_size: 4\nlearning_rate: 0.02\nfirst_layer: 1\nthreads: 1\n"
METRICS = {
    *("n", "accuracy", "precision", "recall", "f1", "mcc", "roc_auc", "pr_auc", "recall_at_fpr_5", "ece", "brier"),
    *("consistency", "parse_failures", "latency_ms", "baselines", "intervals"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    (folder / "recipe.yaml").write_text(RECIPE)
    write_rows(folder / "train.jsonl")
    write_rows(folder / "test.jsonl", rows=40, seed=9)
    return folder


@pytest.fixture
def finetune(folder: Path, monkeypatch: pytest.MonkeyPatch, few_resamples: None) -> Callable[..., Result]:
    """Runs a command in the folder, with a data directory there."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(folder / "data"))
    return lambda *arguments: CliRunner().invoke(app, arguments)


@pytest.mark.timeout(600)
def test_from_rows_to_production(folder: Path, tiny_base: Base, finetune: Callable[..., Result]) -> None:
    base = ["--base", str(tiny_base.gguf)]
    steps = [
        ["train", "--task", "fraud", "--data", "train.jsonl", "--out", "a", "--config", "recipe.yaml", *base],
        ["evaluate", "--adapter", "a", "--data", "test.jsonl", "--out", "report.json", "--train-data", "train.jsonl",
         *base],
        ["compare", "report.json", "report.json", "--out", "compared.json"],
        ["export", "--adapter", "a", "--data", "test.jsonl", "--report", "report.json", *base],
        ["promote", "a/export", "--report", "report.json", "--own-rows"],
        ["report", "report.json", "--out", "page.md"],
    ]  # fmt: skip
    for step in steps:
        result = finetune(*step)
        assert result.exit_code == 0, result.output
    report = json.loads((folder / "report.json").read_text())
    assert report.keys() >= METRICS
    assert (report["n"], report["consistency"], report["parse_failures"]) == (40, None, 0)
    assert report["baselines"].keys() == {
        "majority",
        "tfidf_lr",
        "numbers_lr",
        "base_model",
        "base_few_shot",
    }
    assert report["intervals"]["pr_auc"][0] <= report["pr_auc"] <= report["intervals"]["pr_auc"][1]
    assert {path.name for path in (folder / "report-plots").iterdir()} == {
        *("roc.png", "precision-recall.png", "reliability.png", "threshold-cost.png", "confusion.png")
    }
    compared, *beside = json.loads((folder / "compared.json").read_text())
    assert [entry["against"] for entry in beside] == [*report["baselines"]] * 2
    assert all(entry["paired"] for entry in beside)
    assert compared["mcnemar_p"] == 1.0
    assert compared["differences"]["pr_auc"]["difference"] == 0
    registry = json.loads((folder / "data/finetune/registry/registry.json").read_text())
    assert [entry["state"] for entry in registry["adapters"]] == ["production"]
    assert "| adapter |" in (folder / "page.md").read_text()
    assert (folder / "images/page/report/roc.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "--data", "none.jsonl", "--out", "b"], "cannot be read"),
        (["train", "--data", "train.jsonl", "--out", "b", "--config", "nothing"], "no recipe nothing"),
        (["evaluate", "--adapter", "nowhere", "--data", "test.jsonl"], "no adapter that `train` wrote"),
        (["promote", "fraud@none"], "no adapter 'fraud@none'"),
        (["compare", "recipe.yaml", "recipe.yaml"], "no report"),
    ],
)
def test_mistakes_are_one_clear_line(
    finetune: Callable[..., Result], tiny_base: Base, arguments: list[str], said: str
) -> None:
    if arguments[0] in {"train", "evaluate"}:
        arguments = [*arguments, "--base", str(tiny_base.gguf)]
    result = finetune(*arguments)
    assert result.exit_code == 1
    assert said in result.stderr.splitlines()[-1]


def test_help_comes_without_the_extra() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; sys.argv = ['finetune', '--help']; import finetune.cli as c; c.main()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert "train" in result.stdout
