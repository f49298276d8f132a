"""`switchyard audit` on the data directory of a server that stopped, and of one that runs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agent.settings import Settings
from server.audit.key import load_key
from server.cli.main import app
from tests.server.audit.logs import ENTRIES, rows_of, tamper
from tests.server.audit.stopped import stopped_log
from tests.server.site import Site

Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data directory with an audit log."""
    return stopped_log(tmp_path / "data")


@pytest.fixture
def run(folder: Path) -> Run:
    """Runs `switchyard audit` on it."""
    environment = {"SWITCHYARD_DATA_DIR": str(folder)}
    return lambda *arguments, **options: CliRunner().invoke(app, ["audit", *arguments], env=environment, **options)


def test_a_whole_log(run: Run) -> None:
    result = run("verify")
    assert (result.exit_code, result.stdout.strip()) == (0, "The log is whole. 5 rows (1 to 5).")
    told = json.loads(run("verify", "--json").stdout)
    assert (told["ok"], told["rows"], told["last"], told["seals_checked"], told["problems"]) == (True, 5, 5, True, [])
    assert len(told["hash"]) == 64


def test_what_is_wrong_is_told_with_row_and_reason(run: Run, folder: Path) -> None:
    tamper(Settings(data_dir=folder), "UPDATE audit SET outcome = 'LEGITIMATE' WHERE sequence = 2")
    result = run("verify")
    assert result.exit_code == 1
    assert "row 2: its content does not fit its hash  edited" in result.stdout
    assert "The log is not what it was." in result.stdout
    told = json.loads(run("verify", "--json").stdout)
    (problem,) = told["problems"]
    assert (told["ok"], problem["code"], problem["sequence"]) == (False, "edited", 2)


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_an_export_is_verified_without_database_and_key(run: Run, tmp_path: Path, format: str) -> None:
    out = tmp_path / f"part.{format}"
    assert run("export", "--format", format, "--out", str(out)).exit_code == 0
    elsewhere = {"SWITCHYARD_DATA_DIR": str(tmp_path / "elsewhere")}
    result = CliRunner().invoke(app, ["audit", "verify", "--file", str(out)], env=elsewhere)
    assert result.exit_code == 0, result.output
    assert "5 rows (1 to 5). Seals were not checked" in result.stdout
    assert run("verify", "--file", str(out)).stdout.strip() == "The log is whole. 5 rows (1 to 5)."
    lines = out.read_text("utf-8").splitlines(keepends=True)
    out.write_text("".join(lines[:-2] + lines[-1:]), encoding="utf-8")
    cut = run("verify", "--file", str(out))
    assert cut.exit_code == 1
    assert "5 rows, 1 to 5, were exported; here are 4, 1 to 4" in cut.stdout


def test_a_range_of_time(run: Run, folder: Path) -> None:
    rows = rows_of(Settings(data_dir=folder))
    lines = run("export", "--since", rows[1]["time"], "--until", rows[3]["time"]).stdout.splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["sequence"] for record in records] == [2, 3, None]
    assert records[-1]["details"]["first"] == 2
    assert run("export", "--since", "yesterday").exit_code == 2
    (header, end) = csv.reader(io.StringIO(run("export", "--until", "2001-01-01", "--format", "csv").stdout))
    assert (header[0], end[header.index("kind")]) == ("sequence", "export_end")


def test_a_head_that_was_kept_elsewhere(run: Run, folder: Path, tmp_path: Path) -> None:
    kept = tmp_path / "head.json"
    kept.write_bytes((folder / "audit-head.json").read_bytes())
    assert run("verify", "--head", str(kept)).exit_code == 0
    kept.write_text("{}")
    result = run("verify", "--head", str(kept))
    assert result.exit_code == 1
    assert "head.json, cannot be read" in result.stderr


def test_a_fingerprint_finds_the_decision(run: Run, folder: Path, tmp_path: Path) -> None:
    key = load_key(folder / "audit.key")
    file = tmp_path / "transaction.json"
    file.write_text('{"amount": 2400, "merchant": "X"}\n')
    shown = run("fingerprint", str(file)).stdout
    assert key.fingerprint({"merchant": "X", "amount": 2400}) in shown
    assert run("fingerprint", input="hello\n").stdout.split() == ["text", key.fingerprint("hello")]


@pytest.mark.parametrize(
    ("missing", "said"),
    [("switchyard.db", "There is no database"), ("audit.key", "audit.key cannot be read")],
)
def test_what_is_missing_is_one_clear_line(run: Run, folder: Path, missing: str, said: str) -> None:
    (folder / missing).unlink()
    result = run("verify")
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_file_that_is_not_there(run: Run) -> None:
    assert "cannot be read" in run("verify", "--file", "/nothing/here.jsonl").stderr


def test_beside_a_running_server(site: Site) -> None:
    site.chat()
    environment = {"SWITCHYARD_DATA_DIR": str(site.settings.data_dir)}
    result = CliRunner().invoke(app, ["audit", "verify", "--json"], env=environment)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["rows"] > 0


@pytest.mark.parametrize("command", ["verify", "export", "fingerprint"])
def test_every_command_teaches_by_example(command: str) -> None:
    shown = CliRunner().invoke(app, ["audit", command, "--help"]).output
    assert f"switchyard audit {command}" in " ".join(shown.split())
    assert "Example" in shown


def test_five_entries_make_five_rows(folder: Path) -> None:
    assert len(rows_of(Settings(data_dir=folder))) == len(ENTRIES)
