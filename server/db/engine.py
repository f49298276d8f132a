"""Opening the app database: pragmas, migrations, and one writer at a time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

_BUSY_TIMEOUT_S = 30
_MIGRATIONS = Path(__file__).with_name("migrations")


class Database:
    """The app database. Writers queue here rather than in SQLite, where waiting means polling for a lock."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Wrap an engine whose schema is up to date."""
        self._engine = engine
        self._writer = asyncio.Lock()

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that commits at the end, or rolls back on an error."""
        async with self._writer, self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """A connection for queries."""
        async with self._engine.connect() as connection:
            yield connection

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


def open_database(path: Path) -> Database:
    """Bring the schema of the SQLite file at `path` up to date, creating it if need be, and open it. Blocks."""
    migrate(f"sqlite:///{path}")
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"timeout": _BUSY_TIMEOUT_S})
    event.listen(engine.sync_engine, "connect", _configure)
    return Database(engine)


def migrate(url: str) -> None:
    """Run the Alembic migrations up to the newest."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, "head")


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: what was acknowledged survives a power cut, too.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
