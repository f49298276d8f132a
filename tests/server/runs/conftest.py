"""The app database of a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.db.engine import Database, open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "app.db")
    yield opened
    opened.close()
