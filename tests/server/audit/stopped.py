"""The data directory of a server that stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path

from server.db.engine import open_database
from tests.server.audit.logs import fill


def stopped_log(folder: Path) -> Path:
    """Make a data directory whose audit log has five rows; returns it."""
    folder.mkdir()
    database = open_database(folder / "switchyard.db")
    asyncio.run(fill(database))
    database.close()
    return folder
