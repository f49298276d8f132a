"""A sync that is killed goes on where it stopped: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.process import ROOT, command
from tests.fakes.endpoint import FakeEndpoint, fake_endpoint
from tests.server.site import serve, settings_for

FILES = 40
KILL_AFTER = (1, 4)


def rows(database: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT sync_path, status, chunks FROM documents ORDER BY sync_path").fetchall()


@pytest.fixture(scope="module")
def endpoint() -> Any:
    with fake_endpoint() as running:
        yield running


def test_a_killed_sync_converges(endpoint: FakeEndpoint, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    settings = settings_for(tmp_path, endpoint, pytestconfig)
    folder = tmp_path / "policies"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"rule-{number:02}.md").write_text(f"# Rule {number}\n\nRule number {number} limits transfers.")
    environment = os.environ | {
        "SWITCHYARD_DATA_DIR": str(settings.data_dir),
        "SWITCHYARD_SAMPLES": "off",
        "SWITCHYARD_MODELS": str(settings.models),
    }
    sync = command("ingest", "--sync", str(folder))
    for lines in KILL_AFTER:
        process = subprocess.Popen(sync, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(lines):
            assert process.stdout.readline().startswith("✓")
        process.kill()
        process.communicate()
        assert len(rows(settings.app_database)) < FILES
    ended = subprocess.run(sync, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=170, check=False)
    assert ended.returncode == 0, ended.stderr
    assert [row[1:] for row in rows(settings.app_database)] == [("indexed", 1)] * FILES
    assert not list(settings.upload_folder.glob("*"))
    with serve(settings) as site:
        body = {"query": "rule limits transfers", "top_k": 100}
        found = [result["chunk_id"] for result in site.http.post("/search", json=body).json()["results"]]
        assert len(found) == len(set(found)) == FILES
