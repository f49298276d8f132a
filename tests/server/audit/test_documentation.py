"""The commands of docs/audit.md work as they stand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.audit.entry import COLUMNS
from server.cli.main import app
from tests.server.audit.stopped import stopped_log

DOCUMENT = (Path(__file__).parents[3] / "docs" / "audit.md").read_text("utf-8")
COMMANDS = [
    shlex.split(line, comments=True)[1:]
    for block in re.findall(r"```bash\n(.*?)```", DOCUMENT, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("switchyard audit")
]


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(stopped_log(tmp_path / "data")))
    (tmp_path / "kept-elsewhere").mkdir()
    (tmp_path / "kept-elsewhere" / "audit-head.json").write_bytes((tmp_path / "data" / "audit-head.json").read_bytes())
    (tmp_path / "transaction.json").write_text('{"amount": 2400}')
    assert {command[1] for command in COMMANDS} == {"verify", "export", "fingerprint"}
    for command in COMMANDS:
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, (command, result.output)


def test_every_column_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)`", DOCUMENT.split("## How")[0]))
    assert set(COLUMNS) <= explained
