"""The keys of an app database of one's own."""

from __future__ import annotations

import pytest

from server.access.store import KeyStore
from server.db.engine import Database


@pytest.fixture
def store(database: Database) -> KeyStore:
    return KeyStore(database)
