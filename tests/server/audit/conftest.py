"""A database with an audit log."""

from __future__ import annotations

import asyncio

import pytest_asyncio

from agent.settings import Settings
from server.storage import open_app_database
from tests.server.audit.logs import fill


@pytest_asyncio.fixture
async def filled(kept: Settings) -> Settings:
    """Where a log with five rows is, which nobody has open."""
    database = await asyncio.to_thread(open_app_database, kept)
    await fill(database)
    await asyncio.to_thread(database.close)
    return kept
