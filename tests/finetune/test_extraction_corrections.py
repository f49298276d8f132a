"""Corrections of extractions through the sidecar: the commands of docs/extraction.md, on a tiny model."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finetune.base import Base
from finetune.cli import app
from server.corrections.training import training_rows
from tests.server.corrections.building import row

GUIDE = (Path(__file__).parents[2] / "docs" / "extraction.md").read_text("utf-8")
PREFIX = "python -m finetune "
RECIPE = "rank: 4\nalpha: 8\nepochs: 1\nbatch_size: 4\nlearning_rate: 0.02\nfirst_layer: 1\nmax_length: 900\n"


def test_the_rows_are_prepared_and_trained_on(tiny_base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    rows = training_rows(row(number) for number in range(40))
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    commands = [line.removeprefix(PREFIX) for line in re.findall(rf"^{PREFIX}.*$", GUIDE, re.MULTILINE)]
    assert [command.split()[0] for command in commands] == ["prepare", "train"]
    tiny = ["--config", "recipe.yaml", "--base", str(tiny_base.gguf), "--threads", "1"]
    for command in commands:
        arguments = shlex.split(command)
        result = CliRunner().invoke(app, [*arguments, *(tiny if arguments[0] == "train" else [])])
        assert result.exit_code == 0, result.output
    run = tmp_path / "out/finetune/corrections/run"
    assert list(run.glob("*.safetensors"))
    assert json.loads((run / "task.json").read_text())["classes"] == ["WRONG", "RIGHT"]
