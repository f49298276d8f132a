"""What goes wrong with a database that the settings name is told in a line, without its password."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from agent.settings import Settings
from server.audit.key import AuditKeyError
from server.db.engine import Database
from server.db.tables import threads
from server.postgres.connections import DatabaseUnavailableError, connection_info
from server.runs.rows import NewRun
from server.runs.store import RunStore
from server.storage import open_app_database, read_database
from server.thread_states import open_thread_states
from tests.postgres import Cluster
from tests.server.audit.logs import fill

NOBODY = "postgresql://ann:secret@127.0.0.1:9/switchyard"


@pytest.fixture(params=["postgres"])
def kept(request: pytest.FixtureRequest, postgres: Cluster, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database_url=SecretStr(postgres.create()))


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=SecretStr(NOBODY))
    with pytest.raises(DatabaseUnavailableError, match="SWITCHYARD_DATABASE_URL") as caught:
        open_app_database(settings)
    assert "secret" not in caught.value.message
    with pytest.raises(DatabaseUnavailableError), read_database(settings):
        pass


async def test_checkpoints_that_cannot_be_reached(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailableError, match="SWITCHYARD_DATABASE_URL"):
        async with open_thread_states(Settings(data_dir=tmp_path, database_url=SecretStr(NOBODY))):
            pass


def test_what_is_no_address() -> None:
    with pytest.raises(DatabaseUnavailableError) as caught:
        connection_info("postgresql://ann:secret@host/database?nonsense=1")
    assert "secret" not in caught.value.message


def test_parameters_of_the_url_come_first() -> None:
    assert "connect_timeout=3" in connection_info("postgresql://host/database?connect_timeout=3").split()


async def test_texts_lose_their_nul_characters_and_nothing_else(database: Database) -> None:
    run = NewRun("run", "thread", "ann", "a\x00b ü \\u0000", {"told": "a\x00b"}, "trace")
    await RunStore(database).create(run)
    stored = await RunStore(database).get("ann", "run")
    assert stored.message == "ab ü \\u0000"
    assert stored.input["told"].replace("\x00", "") == "ab"


async def test_connections_that_were_cut_are_made_anew(database: Database, kept: Settings) -> None:
    store = RunStore(database)
    await store.create(NewRun("before", "thread", "ann", "hello", {}, "trace"))
    async with open_thread_states(kept) as checkpoints:
        await asyncio.to_thread(_cut_others, kept)
        await store.create(NewRun("after", "other", "ann", "hello", {}, "trace"))
        assert (await store.get("ann", "after")).status == "running"
        assert await checkpoints.aget_tuple({"configurable": {"thread_id": "thread"}}) is None


def _cut_others(kept: Settings) -> None:
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
    with read_database(kept) as connection:
        connection.execute(text(others + "pg_backend_pid()"))


def test_a_reader_changes_nothing(kept: Settings, database: Database) -> None:
    with read_database(kept) as connection:
        assert connection.execute(select(threads)).all() == []
        with pytest.raises(Exception, match="read-only"):
            connection.execute(threads.delete())


def test_a_log_that_another_key_has_sealed_is_not_added_to(kept: Settings, tmp_path: Path) -> None:
    first = open_app_database(kept)
    asyncio.run(fill(first))
    first.close()
    with pytest.raises(AuditKeyError, match="SWITCHYARD_AUDIT_KEY"):
        open_app_database(kept.model_copy(update={"audit_key": tmp_path / "another.key"}))
