"""Where the app database is: an SQLite file below the data directory, or the PostgreSQL database that is named."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Connection

from agent.settings import Settings
from server.audit.reading import NoAuditLogError, require_log
from server.audit.trail import AuditFiles
from server.db.engine import Database, open_database
from server.db.reading import reading
from server.postgres.extra import needed_extra


def open_app_database(settings: Settings) -> Database:
    """Open the app database, its schema up to date. Blocks.

    Raises:
        MissingExtraError: it takes packages that are not installed.
        DatabaseUnavailableError: it cannot be reached or used.
        AuditKeyError: the audit key cannot be read or written, or is not that of the database.
    """
    files = AuditFiles(settings.audit_key_file, settings.audit_head_file)
    if settings.database_url is None:
        return open_database(settings.app_database, files)
    with needed_extra():
        from server.postgres.database import open_postgres
    return open_postgres(settings.database_url.get_secret_value(), files)


@contextmanager
def read_database(settings: Settings) -> Generator[Connection]:
    """A connection that can read the app database, beside a running server or without one. Blocks.

    Raises:
        OperationalError: on the first query, the SQLite file is not there or no database.
        MissingExtraError: it takes packages that are not installed.
        DatabaseUnavailableError: it cannot be reached or used.
    """
    if settings.database_url is None:
        with reading(settings.app_database) as connection:
            yield connection
        return
    with needed_extra():
        from server.postgres import database
    with database.reading(settings.database_url.get_secret_value()) as connection:
        yield connection


def require_database(settings: Settings) -> None:
    """Make sure that the database that the settings name can be reached; an SQLite file is made when it is opened.

    Raises:
        MissingExtraError: it takes packages that are not installed.
        DatabaseUnavailableError: it cannot be reached or used.
    """
    if settings.database_url is not None:
        with read_database(settings):
            pass


@contextmanager
def read_audit_log(settings: Settings) -> Generator[Connection]:
    """A connection that can read the audit log: that of `read_database`.

    Raises:
        NoAuditLogError: there is none.
    """
    path = settings.app_database
    if settings.database_url is None and not path.is_file():
        raise NoAuditLogError(f"There is no database {path}. Start the server once, or set SWITCHYARD_DATA_DIR.")
    with read_database(settings) as connection:
        require_log(connection, str(path) if settings.database_url is None else "The database")
        yield connection
