from __future__ import annotations

from pathlib import Path

import pytest

from eval.bench.processes import server_environment


def test_a_measured_server_answers_nothing_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHYARD_ANSWER_CACHE", "on")
    environment = server_environment(tmp_path, tmp_path / "models.yaml")
    assert environment["SWITCHYARD_ANSWER_CACHE"] == "off"
    assert environment["SWITCHYARD_REVIEW"] == "off"
    assert environment["SWITCHYARD_DATA_DIR"] == str(tmp_path)
    assert environment["SWITCHYARD_MODELS"] == str(tmp_path / "models.yaml")
    assert "SWITCHYARD_MODELS" not in server_environment(tmp_path, None)
