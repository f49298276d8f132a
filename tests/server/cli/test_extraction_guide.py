"""The commands and the body of docs/extraction.md work as they stand."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.cli.main import app
from tests.server.site import Site

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "extraction.md").read_text("utf-8")
BODIES = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
COMMANDS = [
    shlex.split(line)[1:]
    for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("switchyard ")
]


@pytest.fixture
def beside(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands find the test's server, and the samples from where they are."""
    address = site.settings.data_dir / "server.json"
    address.write_text(json.dumps({"url": site.url, "pid": os.getpid()}))
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(site.settings.data_dir))
    yield
    address.unlink()


def test_the_body_and_the_commands(site: Site, beside: None, tmp_path: Path) -> None:
    (body,) = BODIES
    answer = site.http.post("/extract/corrections", json=json.loads(body))
    assert answer.status_code == 201, answer.text
    assert answer.json()["fields"]["total"]["value"] == 48.6
    assert [command[0] for command in COMMANDS] == ["extract", "extract", "corrections"]
    for command in COMMANDS:
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, (command, result.output)
    samples = len(list((ROOT / "samples" / "invoices").iterdir()))
    assert len((tmp_path / "invoices.jsonl").read_text().splitlines()) == samples
    assert len((tmp_path / "invoices.csv").read_text().splitlines()) == samples + 1
    assert (tmp_path / "rows.jsonl").read_text()
