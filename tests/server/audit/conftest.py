"""A database with an audit log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from server.db.engine import Database, open_database
from tests.server.audit.logs import fill


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database lies."""
    return tmp_path / "app.db"


@pytest_asyncio.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    """An empty database."""
    opened = await asyncio.to_thread(open_database, path)
    yield opened
    await asyncio.to_thread(opened.close)


@pytest_asyncio.fixture
async def filled(path: Path) -> Path:
    """The path of a closed database with five entries."""
    database = await asyncio.to_thread(open_database, path)
    await fill(database)
    await asyncio.to_thread(database.close)
    return path
