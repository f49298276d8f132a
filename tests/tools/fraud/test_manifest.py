from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.files import file_sha256
from tools.fraud import NARRATIVE_VERSION, AdapterError, AdapterManifest, Calibration, load_manifest, load_prompt
from tools.fraud.manifest import MANIFEST_NAME, WeightsFile

BASE = "a" * 64


def write_adapter(folder: Path, **changes: Any) -> AdapterManifest:
    (folder / "adapter.gguf").write_bytes(b"weights")
    facts: dict[str, Any] = {
        "name": "issuer-1",
        "task": "fraud",
        "base": WeightsFile(name="base.gguf", sha256=BASE),
        "adapter": WeightsFile(name="adapter.gguf", sha256=file_sha256(folder / "adapter.gguf")),
        "prompt_version": "label.v1",
        "prompt_sha256": load_prompt().sha256,
        "narrative_version": NARRATIVE_VERSION,
        "labels": ("FRAUD", "LEGITIMATE"),
        "calibration": Calibration(1.3, 0.2, 0.5, 0.05, "temperature_bias"),
        "metrics": {"pr_auc": 0.9},
    }
    manifest = AdapterManifest(**{**facts, **changes})
    (folder / MANIFEST_NAME).write_text(manifest.model_dump_json(), encoding="utf-8")
    return manifest


def test_a_fitting_adapter_is_accepted_as_written(tmp_path: Path) -> None:
    written = write_adapter(tmp_path)
    assert load_manifest(tmp_path, BASE, load_prompt()) == written


@pytest.mark.parametrize(
    ("changes", "different"),
    [
        ({"base": WeightsFile(name="base.gguf", sha256="c" * 64)}, "base model"),
        ({"prompt_sha256": "c" * 64}, "prompt"),
        ({"narrative_version": 99}, "narrative version"),
        ({"labels": ("YES", "NO")}, "labels"),
        ({"adapter": WeightsFile(name="adapter.gguf", sha256="c" * 64)}, "adapter file"),
    ],
)
def test_a_mismatch_is_refused_with_what_differs(tmp_path: Path, changes: dict[str, Any], different: str) -> None:
    write_adapter(tmp_path, **changes)
    with pytest.raises(AdapterError) as caught:
        load_manifest(tmp_path, BASE, load_prompt())
    assert caught.value.details == {"different": [different]}


def test_a_corrupted_adapter_is_refused(tmp_path: Path) -> None:
    write_adapter(tmp_path)
    (tmp_path / "adapter.gguf").write_bytes(b"other weights")
    with pytest.raises(AdapterError, match="adapter file"):
        load_manifest(tmp_path, BASE, load_prompt())


@pytest.mark.parametrize("name", ["missing.gguf", "../adapter.gguf"])
def test_an_adapter_outside_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    write_adapter(tmp_path, adapter=WeightsFile(name=name, sha256=BASE))
    with pytest.raises(AdapterError, match="no file"):
        load_manifest(tmp_path, BASE, load_prompt())


@pytest.mark.parametrize("content", ["", "{}", '{"format": 2}'])
def test_an_unreadable_manifest_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST_NAME).write_text(content, encoding="utf-8")
    with pytest.raises(AdapterError, match="no readable"):
        load_manifest(tmp_path, BASE, load_prompt())


def test_an_invalid_calibration_is_refused(tmp_path: Path) -> None:
    write_adapter(tmp_path)
    raw = json.loads((tmp_path / MANIFEST_NAME).read_text(encoding="utf-8"))
    raw["calibration"]["temperature"] = 0
    (tmp_path / MANIFEST_NAME).write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(AdapterError):
        load_manifest(tmp_path, BASE, load_prompt())
