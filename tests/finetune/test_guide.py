"""The commands of docs/finetuning.md in their order, on a tiny model and a few of the rows."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from finetune.base import Base
from finetune.cli import app

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "finetuning.md").read_text("utf-8")
PREFIX = "python -m finetune "
RECIPE = "rank: 4\nalpha: 8\nepochs: 1\nbatch_size: 4\nlearning_rate: 0.02\nfirst_layer: 1\n"
# No rank of the plan is the recipe's: the tuned adapter must be another one than the first.
PLAN = "stages: [{parameter: rank, values: [8, 6]}]"
VARIANTS = "{as recommended: {}, constant rate: {schedule: constant}}"
CHARS = 40
SPLITS = {"train": 240, "validation": 48, "test": 24}


def commands() -> list[str]:
    """Every line of the guide's shell blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", GUIDE, flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def tiny(arguments: list[str], base: Base) -> list[str]:
    """What makes a command small: the tiny base, recipe and plan, few rows."""
    extra = {
        "prepare": [] if "--data" in arguments else ["--rows", "600", "--seed", "5"],
        "train": ["--base", str(base.gguf), "--config", "tiny.yaml", "--threads", "1"],
        "sweep": ["--base", str(base.gguf), "--config", "tiny.yaml", "--plan", "plan.yaml", "--threads", "1"],
        "ablate": [
            "--base",
            str(base.gguf),
            "--config",
            "tiny.yaml",
            "--variants",
            "variants.yaml",
            "--threads",
            "1",
        ],
        "evaluate": ["--base", str(base.gguf)],
        "score": ["--base", str(base.gguf)],
        "export": ["--base", str(base.gguf)],
        "reader": ["--epochs", "1", "--rank", "4", "--written", "0", "--threads", "1"],
        "extract": ["--base", str(base.gguf), "--rank", "4", "--first-layer", "1", "--no-bf16", "--threads", "1"],
        "forgetting": ["--base", str(base.gguf), "--per-kind", "4"],
        # The packaged adapter was measured on the whole set, not on these few rows.
        "promote": ["--own-rows"] if "--report" in arguments else [],
    }.get(arguments[0], [])
    options = [*arguments, *extra]
    if arguments[0] == "train" and "best.yaml" in " ".join(arguments):
        options[options.index("tiny.yaml")] = "out/finetune/sweep/best.yaml"
    return options


def shorten(folder: Path) -> None:
    """Keep the beginnings of some rows of each split, with the label in front: the tiny model has to learn it.

    A quarter of them lack it, so that neither of two adapters is perfect and the gate sees intervals.
    An adapter that hardly ever says a label is not exported: llama.cpp lists no probability for it.
    """
    for name, wanted in SPLITS.items():
        path = folder / f"{name}.jsonl"
        kept: dict[str, list[str]] = {}
        for row in map(json.loads, path.read_text().splitlines()):
            lines = kept.setdefault(row["label"], [])
            if len(lines) < wanted // 2:
                said = "unknown" if len(lines) % 4 == 0 else row["label"]
                text = f"{said} {row['text'][:CHARS]}"
                lines.append(json.dumps({**row, "text": text, "paraphrases": [text.replace(",", ";")]}))
        path.write_text("\n".join(line for lines in kept.values() for line in lines) + "\n")


def questions() -> Iterator[dict[str, Any]]:
    """Rows of six documents, two of which have questions that they do not answer."""
    for number in range(6):
        asked = {"title": f"Harbour {number}", "passage": f"The pier of harbour {number} was built in 18{number}4."}
        yield {**asked, "question": "When was the pier built?", "answerable": True, "answers": [f"18{number}4"]}
        if number < 2:
            yield {**asked, "question": "Who painted the ferry?", "answerable": False}


def fields() -> Iterator[dict[str, Any]]:
    """Rows of 24 documents with a field each."""
    for number in range(24):
        field = {"name": "colour", "answer": ("red", "blue")[number % 2]}
        yield {"document": str(number), "passage": f"Boat {number}, painted {field['answer']}", "fields": [field]}


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few_resamples: None) -> Iterator[Path]:
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "variants.yaml").write_text(VARIANTS)
    shops = ["casino", "bakery", "bookshop"]
    lines = [f"client {n % 120},Order {n} of {n * 3} EUR at a {shops[n % 3]},{int(n % 3 == 0)}" for n in range(360)]
    (tmp_path / "my.csv").write_text("client,text,label\n" + "\n".join(lines) + "\n")
    (tmp_path / "questions.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in questions()))
    (tmp_path / "fields.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in fields()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(tmp_path / "data"))
    yield tmp_path
    shutil.rmtree(tmp_path / "out", ignore_errors=True)


def test_every_command_of_the_guide_runs(workplace: Path, tiny_base: Base) -> None:
    for command in commands():
        if not command.startswith(PREFIX):
            continue
        arguments = shlex.split(command.removeprefix(PREFIX))
        result = CliRunner().invoke(app, tiny(arguments, tiny_base))
        assert result.exit_code == 0, f"{command}\n{result.output}"
        if command == f"{PREFIX}prepare":
            shorten(workplace / "out/finetune/fraud")
    out = workplace / "out/finetune"
    assert (out / "sweep/results.md").is_file()
    assert "constant rate" in (out / "ablation/ablation.md").read_text()
    assert json.loads((out / "forgetting.json").read_text())["off"]["loss_points"] == 0
    assert json.loads((out / "reader/manifest.json").read_text())["held_out"] == ["Harbour 1", "Harbour 2"]
    assert json.loads((out / "extract/manifest.json").read_text())["rows"] == 22
    registry = json.loads((workplace / "data/finetune/registry/registry.json").read_text())
    first = json.loads((out / "run/export/manifest.json").read_text())["name"]
    assert [entry["name"] for entry in registry["adapters"] if entry["state"] == "production"] == [first]


def test_the_guide_shows_every_command_there_is() -> None:
    shown = {shlex.split(line.removeprefix(PREFIX))[0] for line in commands() if line.startswith(PREFIX)}
    assert shown == {command.name or command.callback.__name__ for command in app.registered_commands
                     if command.callback}  # fmt: skip


def test_other_commands_are_targets_of_the_makefile() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)
    others = [line for line in commands() if not line.startswith(PREFIX)]
    assert others
    assert all(line.startswith("make ") and line.split()[1] in targets for line in others)


def test_the_guides_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)", GUIDE):
        assert link.startswith("https://") or (ROOT / "docs" / link).is_file(), link
