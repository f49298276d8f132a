"""An app database of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.access.store import KeyStore
from server.db.engine import Database, open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "app.db")
    yield opened
    opened.close()


@pytest.fixture
def store(database: Database) -> KeyStore:
    return KeyStore(database)
