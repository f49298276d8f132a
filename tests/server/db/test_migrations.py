"""Migrations lead to the tables as they are declared, and keep what an earlier version wrote."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

import server.db
from server.db.engine import Database, open_database
from server.db.tables import metadata
from server.ingestion.rows import DocumentRows
from server.ingestion.upload import NewDocument

FIRST_ROW = """
    INSERT INTO documents VALUES
    ('ann', 'default', 'policy', 'Policy', 'text/plain', 'indexed', 1, NULL, 'abc', 'Text.', '{}', NULL, NULL, 1.0, 2.0)
"""


@pytest.fixture
def upgraded(tmp_path: Path) -> Iterator[Database]:
    """A database that the first version made and wrote, opened by this one."""
    path = tmp_path / "app.db"
    config = Config()
    config.set_main_option("script_location", str(Path(server.db.__path__[0]) / "migrations"))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{path}")
    command.upgrade(config, "0001")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(FIRST_ROW)
    opened = open_database(path)
    yield opened
    opened.close()


async def test_a_document_of_the_first_version_is_kept_and_can_be_replaced(upgraded: Database) -> None:
    rows = DocumentRows(upgraded)
    (row,) = await rows.list("ann")
    assert (row.document_id, row.status, row.attempts) == ("policy", "indexed", 0)
    assert (row.source, row.upload_id, row.synced) == (None, None, None)
    assert await rows.text("ann", "policy") == "Text."
    assert await rows.put(NewDocument("ann", b"Text.", "policy.txt", "policy"), "upload") is None
    assert [row.status for row in await rows.list("ann")] == ["queued"]


def test_the_migrations_make_the_declared_tables(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    open_database(path).close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
