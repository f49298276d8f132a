"""From `finetune promote` to a score: a running server takes up what the command put into its data directory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.settings import Settings
from tests.e2e.process import ROOT, Served, served
from tests.server.site import cache_folder
from tools.fraud.adapters import packaged_adapter
from tools.fraud.manifest import MANIFEST_NAME, AdapterManifest

pytestmark = pytest.mark.model

NEW = "fraud@another"
TRANSACTION = "2400 EUR at ElectroWorld, ecommerce, country NG, home country DE, usual amount 45 EUR"


def export_of_the_packaged_weights(folder: Path) -> AdapterManifest:
    """The packaged weights under another name, with a calibration that finds no fraud; the packaged manifest."""
    packaged = packaged_adapter("fraud")
    assert packaged is not None
    shutil.copytree(packaged, folder)
    manifest = AdapterManifest.model_validate_json((folder / MANIFEST_NAME).read_bytes())
    blind = replace(manifest.calibration, bias=-50.0)
    changed = manifest.model_copy(update={"name": NEW, "calibration": blind})
    (folder / MANIFEST_NAME).write_text(json.dumps(changed.model_dump(mode="json")), encoding="utf-8")
    return manifest


def promote(settings: Settings, *arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "finetune", "promote", *arguments],
        cwd=ROOT,
        env=os.environ | {"SWITCHYARD_DATA_DIR": str(settings.data_dir)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def score(server: Served) -> dict[str, Any]:
    answer = server.site.http.post("/fraud/score", json={"text": TRANSACTION})
    assert answer.status_code == 200, answer.text
    [result] = answer.json()["results"]
    return result


@pytest.mark.timeout(300)
def test_a_running_server_takes_up_a_promotion_and_its_way_back(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    settings = Settings(data_dir=tmp_path / "data", samples="off", answer_cache="off")
    settings.data_dir.mkdir()
    settings.cache_folder.symlink_to(cache_folder(pytestconfig))
    packaged = export_of_the_packaged_weights(tmp_path / "export")
    with served(settings) as server:
        before = score(server)
        assert before["model"]["adapter"] == packaged.name
        report = str(tmp_path / "export" / "report.json")
        assert f"{NEW} serves" in promote(settings, str(tmp_path / "export"), "--report", report)
        during = score(server)
        assert during["model"]["adapter"] == NEW
        assert during["probability"] < 0.001 < before["probability"]
        assert f"{packaged.name} serves" in promote(settings, "--rollback", "fraud")
        after = score(server)
        assert after["model"]["adapter"] == packaged.name
        assert after["probability"] == pytest.approx(before["probability"], abs=0.05)
        assert server.process.poll() is None
