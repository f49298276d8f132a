"""Migrations lead to the tables as they are declared, and keep what an earlier version wrote."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import Table, inspect, text

from agent.settings import Settings
from server.db.engine import Database
from server.db.schema import migrate
from server.db.tables import metadata
from server.ingestion.rows import DocumentRows
from server.ingestion.upload import NewDocument
from server.storage import open_app_database
from tests.postgres import Cluster
from tests.server.engines import engine_of

FIRST_ROW = """
    INSERT INTO documents VALUES
    ('ann', 'default', 'policy', 'Policy', 'text/plain', 'indexed', 1, NULL, 'abc', 'Text.', '{}', NULL, NULL, 1.0, 2.0)
"""


_START = """
import asyncio
from agent.settings import Settings
from server.storage import open_app_database
from server.thread_states import open_thread_states

async def start():
    async with open_thread_states(Settings()):
        pass

open_app_database(Settings()).close()
asyncio.run(start())
"""


@pytest.fixture(params=["sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Where no table is yet."""
    if request.param == "sqlite":
        yield Settings(data_dir=tmp_path)
        return
    postgres: Cluster = request.getfixturevalue("postgres")
    url = postgres.empty()
    yield Settings(data_dir=tmp_path, database_url=SecretStr(url))
    postgres.drop(url)


@pytest.fixture
def upgraded(kept: Settings) -> Iterator[Database]:
    """A database that the first version made and wrote, opened by this one."""
    engine = engine_of(kept)
    migrate(engine, "0001")
    with engine.begin() as connection:
        connection.execute(text(FIRST_ROW))
    engine.dispose()
    opened = open_app_database(kept)
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


def test_the_migrations_make_the_declared_tables(kept: Settings) -> None:
    open_app_database(kept).close()
    engine = engine_of(kept)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        made = inspect(connection)
        for table in metadata.tables.values():
            found = {index["name"]: bool(index["unique"]) for index in made.get_indexes(table.name)}
            assert indexes(table).items() <= found.items()
    engine.dispose()


def indexes(table: Table) -> dict[str | None, bool]:
    return {None if index.name is None else str(index.name): index.unique for index in table.indexes}


@pytest.mark.parametrize("kept", ["postgres"], indirect=True)
def test_servers_that_start_together_make_the_tables_once(kept: Settings) -> None:
    assert kept.database_url is not None
    environment = os.environ | {"SWITCHYARD_DATABASE_URL": kept.database_url.get_secret_value()}
    folders = [kept.data_dir / name for name in ("one", "two", "three")]
    for folder in folders:
        folder.mkdir()
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", _START],
            env=environment | {"SWITCHYARD_DATA_DIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for folder in folders
    ]
    assert [(start.communicate()[0], start.returncode) for start in starts] == [("", 0)] * 3
