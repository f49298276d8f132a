"""docs/access.md: its examples work, its tables say what the code does."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.settings import Settings
from server.access.callers import Limits
from server.access.scopes import SCOPES
from server.cli.main import app
from tests.server.keyed import Keyed

TEXT = (Path(__file__).parents[3] / "docs" / "access.md").read_text(encoding="utf-8")


def test_the_python_example(keyed: Keyed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    monkeypatch.setenv("SWITCHYARD_API_KEY", keyed.make("ann", "chat"))
    exec(code.replace("http://localhost:8000", keyed.site.url), {})
    answer, threads = capsys.readouterr().out.splitlines()
    assert answer.endswith("[1]")
    assert int(threads) >= 1


def test_the_commands_are_there_and_make_keys(tmp_path: Path) -> None:
    environment = {"SWITCHYARD_DATA_DIR": str(tmp_path)}
    (line,) = re.findall(r"^switchyard (keys create local.*)$", TEXT, re.MULTILINE)
    made = CliRunner().invoke(app, line.split(), env=environment)
    assert made.exit_code == 0, made.output
    key_id = made.stdout.split("_")[1]
    for command in ("list", "rotate ID", "revoke ID"):
        assert f"`switchyard keys {command}`" in TEXT
        arguments = ["keys", *command.replace("ID", key_id).split()]
        assert CliRunner().invoke(app, arguments, env=environment).exit_code == 0
        assert CliRunner().invoke(app, [*arguments[:2], "--help"]).exit_code == 0


def test_the_scopes_are_described_as_they_are() -> None:
    assert dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|$", TEXT, re.MULTILINE)) == dict(SCOPES)


def test_the_limits_have_these_defaults() -> None:
    told = {name.lower(): float(value) for name, value in re.findall(r"\| `SWITCHYARD_(\w+)` \| (\d+) \|", TEXT)}
    assert told == {field.name: getattr(Settings(), field.name) for field in fields(Limits)}
