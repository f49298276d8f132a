from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from finetune.errors import PromotionError
from finetune.registry import Registry, worse_metrics
from tools.fraud.adapters import find_adapter
from tools.fraud.errors import AdapterError
from tools.fraud.manifest import MANIFEST_NAME, AdapterManifest, WeightsFile, file_sha256


def exported(folder: Path, name: str, weights: bytes = b"weights") -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter.gguf").write_bytes(weights)
    manifest = AdapterManifest(
        name=name,
        task="fraud",
        base=WeightsFile(name="base.gguf", sha256="a" * 64),
        adapter=WeightsFile(name="adapter.gguf", sha256=file_sha256(folder / "adapter.gguf")),
        prompt_version="label.v1",
        prompt_sha256="b" * 64,
        narrative_version=1,
        labels=("FRAUD", "LEGITIMATE"),
    )
    (folder / MANIFEST_NAME).write_text(manifest.model_dump_json())
    return folder


def measured(pr_auc: float, ece: float = 0.02, data: str = "rows") -> dict[str, Any]:
    return {
        "pr_auc": pr_auc,
        "ece": ece,
        "intervals": {"pr_auc": [pr_auc - 0.05, pr_auc + 0.05], "ece": [0.01, 0.04]},
        "adapter": {"data_sha256": data},
        "rows": [1, 2, 3],
    }


def with_report(tmp_path: Path, report: dict[str, Any]) -> Path:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    return path


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path / "registry")
    folder = exported(tmp_path / "one", "fraud@one")
    registry.move(str(folder), "production", with_report(tmp_path, measured(0.9)))
    return registry


def states(registry: Registry) -> dict[str, str]:
    return {entry.name: entry.state for entry in registry.entries()}


def test_the_first_adapter_serves_and_is_found(registry: Registry, tmp_path: Path) -> None:
    assert states(registry) == {"fraud@one": "production"}
    assert find_adapter(tmp_path / "registry", "fraud", "production") == tmp_path / "registry" / "fraud-one"
    assert find_adapter(tmp_path / "registry", "fraud", "fraud@one") == tmp_path / "registry" / "fraud-one"
    assert "rows" not in json.loads((tmp_path / "registry" / "fraud-one" / "report.json").read_text())
    with pytest.raises(AdapterError, match="no_such"):
        find_adapter(tmp_path / "registry", "fraud", "no_such")


def test_a_better_one_takes_over_and_rollback_brings_the_old_one_back(registry: Registry, tmp_path: Path) -> None:
    registry.move(str(exported(tmp_path / "two", "fraud@two")), "production", with_report(tmp_path, measured(0.95)))
    assert states(registry) == {"fraud@one": "archived", "fraud@two": "production"}
    registry.rollback("fraud")
    assert states(registry) == {"fraud@one": "production", "fraud@two": "archived"}
    registry.move("fraud@two", "production", None)
    assert states(registry)["fraud@two"] == "production"


def test_a_worse_one_stays_a_candidate(registry: Registry, tmp_path: Path) -> None:
    folder = exported(tmp_path / "two", "fraud@two")
    with pytest.raises(PromotionError, match="worse") as caught:
        registry.move(str(folder), "production", with_report(tmp_path, measured(0.8)))
    assert caught.value.details["metrics"] == ["pr_auc 0.800 against 0.900 (0.850 to 0.950)"]
    assert states(registry) == {"fraud@one": "production", "fraud@two": "candidate"}


def test_within_the_interval_is_not_worse() -> None:
    assert worse_metrics(measured(0.86, ece=0.04), measured(0.9)) == []
    assert worse_metrics(measured(0.9, ece=0.05), measured(0.9)) == ["ece 0.050 against 0.020 (0.010 to 0.040)"]


def test_reports_about_other_rows_prove_nothing(registry: Registry, tmp_path: Path) -> None:
    folder = exported(tmp_path / "two", "fraud@two")
    with pytest.raises(PromotionError, match="different rows"):
        registry.move(str(folder), "production", with_report(tmp_path, measured(0.99, data="others")))


def test_damaged_weights_are_refused(registry: Registry, tmp_path: Path) -> None:
    folder = exported(tmp_path / "two", "fraud@two")
    (folder / "adapter.gguf").write_bytes(b"other")
    with pytest.raises(PromotionError, match="not the file"):
        registry.move(str(folder), "production", with_report(tmp_path, measured(0.99)))
    assert states(registry) == {"fraud@one": "production"}


def test_what_is_missing_is_named(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(PromotionError, match="has no adapter"):
        registry.move("fraud@none", "production", None)
    with pytest.raises(PromotionError, match="needs the report"):
        registry.move(str(exported(tmp_path / "two", "fraud@two")), "production", None)
    with pytest.raises(PromotionError, match="No earlier adapter"):
        registry.rollback("fraud")
    with pytest.raises(PromotionError, match="no exported adapter"):
        registry.move(str(tmp_path), "candidate", with_report(tmp_path, measured(0.9)))
