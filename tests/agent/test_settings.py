from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.settings import Settings


def test_by_default_everything_stays_on_this_machine() -> None:
    settings = Settings()
    assert settings.data_dir == Path(".switchyard")
    assert (settings.host, settings.port, settings.auth, settings.samples) == ("127.0.0.1", 8000, "off", "on")
    assert settings.models is settings.qdrant_url is settings.phoenix_endpoint is None


def test_the_environment_sets_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    values = {"DATA_DIR": str(tmp_path), "PORT": "0", "SAMPLES": "off", "MODELS": "m.yaml", "MAX_UPLOAD_MB": "3"}
    for name, value in values.items():
        monkeypatch.setenv(f"SWITCHYARD_{name}", value)
    settings = Settings()
    assert (settings.port, settings.samples, settings.models) == (0, "off", Path("m.yaml"))
    assert settings.max_upload_mb == 3


def test_everything_written_lies_below_the_data_directory(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    paths = [
        settings.app_database,
        settings.checkpoint_database,
        settings.vector_folder,
        settings.cache_folder,
        settings.prompt_file,
        settings.corpus_version_file,
        settings.server_file,
        settings.audit_key_file,
        settings.audit_head_file,
    ]
    assert all(path.is_relative_to(tmp_path) for path in paths)
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "70000"), ("PORT", "http"), ("SAMPLES", "maybe"), ("AUTH", "none"), ("MAX_CONCURRENT_RUNS", "0")],
)
def test_a_setting_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"SWITCHYARD_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_settings_cannot_be_changed_later() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]
