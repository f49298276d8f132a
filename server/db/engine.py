"""Opening the app database: pragmas, migrations, one writer, a few readers."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
from sqlalchemy import Connection, Engine, create_engine, event

from server.audit.trail import AuditFiles, AuditTrail
from server.db.schema import migrate
from server.db.writer import GroupWriter

_Result = TypeVar("_Result")

READERS: Final = 2
_BUSY_TIMEOUT_S = 30


class Database:
    """The app database. A transaction is a function that runs on one database thread from start to end.

    One thread writes, so that writers queue here and not in SQLite, where waiting means polling for a lock. An async
    driver would cross threads for every statement, which cost more than the statements.
    """

    def __init__(self, engine: Engine, audit: AuditTrail, *, shared: bool = False) -> None:
        """Wrap an engine whose schema is up to date, and the audit log that lies in it.

        In a `shared` database other processes may write as well.
        """
        self.audit = audit
        self.shared = shared
        self._engine = engine
        self._writer = GroupWriter(engine, audit.committed)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="db-reader")

    async def write(self, work: Callable[[Connection], _Result]) -> _Result:
        """Run `work` in a transaction: durable on return, rolled back on an error (see `GroupWriter.write`)."""
        return await self._writer.write(work)

    async def read(self, work: Callable[[Connection], _Result]) -> _Result:
        """Run queries on a connection."""

        def query() -> _Result:
            with self._engine.connect() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._readers, query)

    def close(self) -> None:
        """Finish what is queued and close all connections. Blocks."""
        self._writer.close()
        self._readers.shutdown()
        self.audit.close()
        self._engine.dispose()


def open_database(path: Path, audit_files: AuditFiles | None = None) -> Database:
    """Bring the schema of the SQLite file at `path` up to date, creating it if need be, and open it. Blocks.

    The audit log's key and head lie beside it unless `audit_files` says where.

    Raises:
        AuditKeyError: the audit key cannot be read or written.
    """
    url = f"sqlite:///{path}"
    # Tables are altered by making them anew, where foreign keys would be in the way: an engine without the pragmas.
    migrate(create_engine(url))
    connecting = {"timeout": _BUSY_TIMEOUT_S, "check_same_thread": False}
    engine = create_engine(url, connect_args=connecting, **JSON_FORMAT)
    event.listen(engine, "connect", _configure)
    return Database(engine, AuditTrail.open(engine, audit_files or AuditFiles.beside(path)))


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


JSON_FORMAT: Final[dict[str, Any]] = {"json_serializer": _to_json, "json_deserializer": orjson.loads}
"""How an engine writes and reads columns of JSON."""


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: what was acknowledged survives a power cut, too.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
