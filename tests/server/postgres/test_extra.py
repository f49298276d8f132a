"""Whoever keeps things in SQLite neither needs nor loads anything of PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.settings import Settings
from server.postgres.extra import MissingExtraError
from server.storage import open_app_database
from server.thread_states import open_thread_states

_LOADED = """
import sys
import server.application, server.cli.keys, server.cli.prune
print(sorted({"psycopg", "psycopg_pool", "langgraph.checkpoint.postgres"} & set(sys.modules)))
"""


def test_the_server_does_not_load_the_driver() -> None:
    done = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_missing_packages_are_told_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path, database_url=SecretStr("postgresql://host/database"))
    for name in [name for name in sys.modules if name.startswith(("server.postgres.", "psycopg"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for opening in (open_app_database, open_thread_states):
        with pytest.raises(MissingExtraError, match=r"scripts/install\.sh \.venv postgres"):
            opening(settings)


@pytest.mark.parametrize("url", ["mysql://host/database", "host/database", "sqlite:///file"])
def test_an_address_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="postgresql://"):
        Settings(database_url=SecretStr(url))
