from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

from finetune.base import Base
from finetune.cli import app
from finetune.training.adapter import WEIGHTS_NAME


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["forgetting", "--per-kind", "10", *map(str, arguments)])
    return result.exit_code, result.output


def stronger(trained: Path, target: Path) -> Path:
    """The adapter with an effect that nobody can overlook."""
    shutil.copytree(trained, target, ignore=shutil.ignore_patterns("checkpoints"))
    weights = load_file(target / WEIGHTS_NAME)
    save_file({name: 30 * tensor if "lora_B" in name else tensor for name, tensor in weights.items()},
              target / WEIGHTS_NAME)  # fmt: skip
    return target


def test_on_it_costs_and_off_it_costs_nothing(tiny_base: Base, trained: Path, tmp_path: Path) -> None:
    text = tmp_path / "own.txt"
    text.write_text("A first paragraph about the garden.\n\nA second one about the house.\n")
    adapter, out, docs = stronger(trained, tmp_path / "a"), tmp_path / "out" / "forgetting.json", tmp_path / "docs"
    status, output = run(
        "--adapter", adapter, "--base", str(tiny_base.gguf), "--out", out, "--text", text, "--docs", docs
    )
    assert status == 0, output
    report: dict[str, Any] = json.loads(out.read_text())
    assert report["pairs"] == 50
    assert report["off"] == {"largest_difference": 0.0, "loss_points": 0.0}
    assert report["all"]["lost"] + report["all"]["gained"] > 5
    assert report["perplexity"].keys() == {"general", "fraud", "mixed", "own.txt"}
    assert report["perplexity"]["general"]["ratio"] > 1.2
    assert report["perplexity"]["general"]["adapter_off"] == report["perplexity"]["general"]["before"]
    page = (docs / "finetune-forgetting.md").read_text()
    assert page == out.with_suffix(".md").read_text()
    assert page.count("| general knowledge | 10 |") == 1
    assert json.loads((docs / "results" / "finetune-forgetting.json").read_text()) == report


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: None, "--base"),
        (lambda folder: (folder / WEIGHTS_NAME).unlink(), "Run train again"),
        (lambda folder: (folder / WEIGHTS_NAME).write_bytes(b"no tensors"), "cannot be loaded"),
        (lambda folder: (folder / "task.json").unlink(), "no adapter that `train` wrote"),
    ],
)
def test_what_is_no_adapter_of_this_base_is_refused(
    tiny_base: Base, trained: Path, tmp_path: Path, change: Any, said: str
) -> None:
    folder = tmp_path / "a"
    shutil.copytree(trained, folder, ignore=shutil.ignore_patterns("checkpoints"))
    change(folder)
    base = tiny_base.folder if said == "--base" else tiny_base.gguf
    status, output = run("--adapter", folder, "--base", str(base), "--out", tmp_path / "r.json")
    assert status == 1
    assert said in output
    assert not (tmp_path / "r.json").exists()


@pytest.mark.parametrize(("content", "said"), [(b"short", "paragraph"), (b"\xff\xfe\x00", "UTF-8"), (None, "read")])
def test_unusable_texts_are_refused(
    tiny_base: Base, trained: Path, tmp_path: Path, content: bytes | None, said: str
) -> None:
    text = tmp_path / "t.txt"
    if content is not None:
        text.write_bytes(content)
    status, output = run("--adapter", trained, "--base", str(tiny_base.gguf), "--text", text)
    assert status == 1
    assert said in output
