"""The app database in PostgreSQL."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, select

from server.audit.entry import sealed_text
from server.audit.key import AuditKey, AuditKeyError
from server.audit.trail import AuditFiles, AuditTrail
from server.db.engine import JSON_FORMAT, READERS, Database
from server.db.schema import migrate
from server.db.tables import audit
from server.postgres.connections import adapt, connection_info, reported_failures

# The readers, the writer and the keeper of the audit log's head.
_CONNECTIONS = READERS + 2
_ROWS_OF_THE_KEY = 20


def open_postgres(url: str, audit_files: AuditFiles) -> Database:
    """Bring the schema of the database at `url` up to date and open it. Blocks.

    Raises:
        DatabaseUnavailableError: it cannot be reached or used.
        AuditKeyError: the audit key cannot be read or written, or the audit log was sealed with another one.
    """
    engine = _engine(url, pool_size=_CONNECTIONS, max_overflow=0, pool_pre_ping=True)
    with reported_failures():
        migrate(engine)
        trail = AuditTrail.open(engine, audit_files)
        _require_key(engine, trail.key, audit_files)
    return Database(engine, trail, shared=True)


@contextmanager
def reading(url: str) -> Generator[Connection]:
    """A connection that reads the database as it is at this moment, and cannot change it. Blocks.

    Raises:
        DatabaseUnavailableError: it cannot be reached or used.
    """
    engine = _engine(url, pool_size=1)
    try:
        with reported_failures():
            connection = engine.connect()
        with connection:
            yield connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    finally:
        engine.dispose()


def _engine(url: str, **options: Any) -> Engine:
    info = connection_info(url)
    engine = create_engine(
        "postgresql+psycopg://",
        # What is locked, and what is seen after the wait for a lock, counts on it.
        isolation_level="READ COMMITTED",
        use_native_hstore=False,
        **JSON_FORMAT,
        **options,
    )

    def connect(_dialect: Any, _record: Any, _args: Any, arguments: dict[str, Any]) -> Any:
        connection = psycopg.connect(info, **arguments)
        adapt(connection)
        return connection

    # libpq reads the URL: it knows every parameter, SQLAlchemy some.
    event.listen(engine, "do_connect", connect)
    return engine


def _require_key(engine: Engine, key: AuditKey, files: AuditFiles) -> None:
    """Keep servers that share a log from sealing it with different keys; a few rows, since one may be forged."""
    query = select(audit).order_by(audit.c.sequence.desc()).limit(_ROWS_OF_THE_KEY)
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    if rows and not any(key.fits("row", sealed_text(row), row["seal"]) for row in rows):
        raise AuditKeyError(
            f"The audit log of this database was sealed with another key than {files.key}. "
            "Servers that share a database share the key: copy it there, or set SWITCHYARD_AUDIT_KEY.",
            path=str(files.key),
        )
