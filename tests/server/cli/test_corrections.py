"""`switchyard corrections export`: training rows beside a server or without one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agent.settings import Settings
from finetune.rows import read_rows
from server.cli.main import app
from server.corrections.store import CorrectionStore
from server.storage import open_app_database
from tests.server.corrections.building import field, source

Export = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def export(data: Path) -> Export:
    def invoke(*arguments: str | Path) -> Result:
        environment = {"SWITCHYARD_DATA_DIR": str(data)}
        return CliRunner().invoke(app, ["corrections", "export", *map(str, arguments)], env=environment)

    return invoke


def put(data: Path, owner: str, value: object) -> None:
    database = open_app_database(Settings(data_dir=data))
    try:
        asyncio.run(CorrectionStore(database).put(owner, source(), [field(value=value)], "cd" * 32))
    finally:
        database.close()


def test_rows_go_to_a_file_or_to_standard_output(export: Export, data: Path, tmp_path: Path) -> None:
    put(data, "local", 120.5)
    out = tmp_path / "rows.jsonl"
    result = export("--output", out)
    assert result.exit_code == 0, result.output
    assert "2 rows from 1 corrections." in result.stderr
    assert [row.label for row in read_rows(out)] == ["WRONG", "RIGHT"]
    assert export().stdout == out.read_text("utf-8")


def test_only_the_owners_that_are_named_are_in_it(export: Export, data: Path) -> None:
    for owner in ("ann", "bob"):
        put(data, owner, f"of {owner}")
    nobody = export()
    assert nobody.exit_code == 1
    assert "no corrections of local. There are some of ann, bob: say --owner." in nobody.stderr
    rows = [json.loads(line) for line in export("--owner", "bob").stdout.splitlines()]
    assert {row["messages"][2]["content"].split("\n")[1] for row in rows} == {'{"total": "of bob"}'}
    assert len(export("--owner", "ann", "--owner", "bob").stdout.splitlines()) == 4


def test_where_nothing_is_there_it_says_so(export: Export, data: Path, tmp_path: Path) -> None:
    assert "There are no corrections of local." in export("--output", tmp_path / "rows.jsonl").stderr
    assert list(data.iterdir()) == []
    assert not (tmp_path / "rows.jsonl").exists()


def test_a_place_that_cannot_be_written_says_so(export: Export, data: Path, tmp_path: Path) -> None:
    put(data, "local", 120.5)
    (tmp_path / "file").touch()
    result = export("--output", tmp_path / "file" / "rows.jsonl")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
