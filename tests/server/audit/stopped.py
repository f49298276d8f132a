"""The data directory of a server that stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agent.settings import Settings
from server.storage import open_app_database
from tests.server.audit.logs import fill


def stopped_log(folder: Path) -> Path:
    """Make a data directory whose audit log has five rows; returns it."""
    folder.mkdir()
    database = open_app_database(Settings(data_dir=folder))
    asyncio.run(fill(database))
    database.close()
    return folder
