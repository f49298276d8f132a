from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finetune.cli import app
from finetune.data.prepare import DataGateError, Preparation, prepare
from finetune.rows import read_rows

pytest.importorskip("gguf", reason="token counts are read with the finetune extra")


def test_a_file_becomes_checked_splits_with_report_card_and_pictures(texts_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(
        app, ["prepare", "--data", str(texts_csv), "--out", str(out), "--group-column", "client"]
    )
    assert result.exit_code == 0, result.output
    assert "train: 48 rows of 16 customers" in result.output
    report = json.loads((out / "report.json").read_text())
    assert all(gate["passed"] for gate in report["gates"])
    for name, sha256 in report["files"].items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == sha256
    assert {row.attributes["customer"] for row in read_rows(out / "train.jsonl")}.isdisjoint(
        row.attributes["customer"] for row in read_rows(out / "test.jsonl")
    )
    assert [row.label for row in read_rows(out / "test.chat.jsonl")] == [r.label for r in read_rows(out / "test.jsonl")]
    assert (out / "card.md").read_text().startswith("# Data card: texts.csv")
    assert (out / "plots" / "lengths.png").stat().st_size > 1000


def test_the_same_seed_gives_the_same_files(texts_csv: Path, tmp_path: Path) -> None:
    runs = [prepare(Preparation(tmp_path / name, texts_csv)) for name in ("a", "b")]
    assert runs[0]["files"] == runs[1]["files"]
    other = prepare(Preparation(tmp_path / "c", texts_csv, seed=1))
    assert other["files"] != runs[0]["files"]


def test_the_simulated_set_is_written_with_its_difficulty(tmp_path: Path) -> None:
    report = prepare(Preparation(tmp_path, rows=600, seed=5))
    assert (
        0.5 < report["difficulty"]["raw_fields"]["pr_auc"] <= report["difficulty"]["raw_fields_and_history"]["pr_auc"]
    )
    chat = json.loads((tmp_path / "train.chat.jsonl").read_text().splitlines()[0])
    assert [message["role"] for message in chat["messages"]] == ["system", "user", "assistant"]
    assert chat["messages"][2]["content"].splitlines()[0] in ("FRAUD", "LEGITIMATE")
    assert report["tokens"]["test"]["max"] <= 130


def test_a_set_that_fails_a_gate_is_reported_and_refused(tmp_path: Path) -> None:
    """Three customers: one split each, so that labels cannot be spread alike."""
    path = tmp_path / "rows.csv"
    labels = {"a": 1, "b": 0, "c": 0}
    lines = [f"{who},text {who} {n} {n * n},{label}" for who, label in labels.items() for n in range(12)]
    path.write_text("customer,text,label\n" + "\n".join(lines), encoding="utf-8")
    with pytest.raises(DataGateError, match="every split has every label"):
        prepare(Preparation(tmp_path / "out", path))
    assert (tmp_path / "out" / "report.json").is_file()


def test_bad_input_ends_the_command_with_one_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text,label\na,1\nb,1\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["prepare", "--data", str(path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "all rows have the label '1'" in result.output
