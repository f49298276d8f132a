"""Rows are only added, at the end, one after the other, together with what they are about."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from agent.settings import Settings
from server.audit.entry import GENESIS, AuditEntry, row_hash
from server.audit.key import AuditKey, AuditKeyError, load_key
from server.db.engine import Database
from server.db.tables import feedback
from server.storage import open_app_database
from tests.server.audit.logs import ENTRIES, check, fill, found, rows_of

# The ways around the triggers of INSERT, UPDATE and DELETE that each database has.
OVERWRITE = "overwrite"
OVERWRITES = {
    "sqlite": "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE sequence = 2",
    "postgresql": "TRUNCATE audit",
}


async def test_each_row_links_to_the_one_before(database: Database, kept: Settings) -> None:
    appended = await fill(database)
    rows = rows_of(kept)
    assert rows == appended
    assert [row["sequence"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["previous_hash"] for row in rows] == [GENESIS, *(row["hash"] for row in rows[:-1])]
    assert all(row["hash"] == row_hash(row) for row in rows)
    assert rows[0]["chunks"] == ["policy#0", "policy#3"]
    assert rows[1]["score"] == 1.0
    assert rows[3]["human_override"] == {"label": "LEGITIMATE", "by": "Zoë"}
    assert rows[4]["details"] == {"scopes": ["chat"], "days": 30, "share": 1e-7}


async def test_a_row_goes_with_its_transaction(database: Database, kept: Settings) -> None:
    def fails(connection: Connection) -> None:
        database.audit.append(connection, ENTRIES[0])
        connection.execute(feedback.insert().values(run_id="nothing", owner="ann", score=1, created_at=0.0))

    with pytest.raises(IntegrityError):
        await database.write(fails)
    assert rows_of(kept) == []
    assert [row["sequence"] for row in await fill(database, ENTRIES[0])] == [1]


async def test_writers_at_the_same_time_make_one_chain(database: Database, kept: Settings) -> None:
    second = await asyncio.to_thread(open_app_database, kept)
    entries = [AuditEntry("key_created", f"owner-{n}") for n in range(40)]
    await asyncio.gather(*(fill((database, second)[n % 2], entry) for n, entry in enumerate(entries)))
    await asyncio.to_thread(second.close)
    rows = rows_of(kept)
    assert [row["sequence"] for row in rows] == list(range(1, 41))
    assert {row["owner"] for row in rows} == {entry.owner for entry in entries}
    assert [row["previous_hash"] for row in rows[1:]] == [row["hash"] for row in rows[:-1]]


async def test_a_run_has_one_row_of_a_kind(database: Database, kept: Settings) -> None:
    await fill(database, ENTRIES[0])
    again = await database.write(lambda connection: database.audit.append(connection, ENTRIES[0]))
    assert again is None
    await fill(database, AuditEntry("run_paused", "ann", run_id="run-1"))
    assert [row["kind"] for row in rows_of(kept)] == ["run_ended", "run_paused"]


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("UPDATE audit SET outcome = 'LEGITIMATE' WHERE sequence = 2", "cannot be changed"),
        ("UPDATE audit SET sequence = 99 WHERE sequence = 2", "cannot be changed"),
        ("DELETE FROM audit WHERE sequence = 5", "cannot be .*deleted"),
        ("DELETE FROM audit", "cannot be .*deleted"),
        ("INSERT INTO audit SELECT * FROM audit WHERE sequence = 2", "only added at the end"),
        (OVERWRITE, "only added at the end|cannot be changed"),
        (
            "INSERT INTO audit (sequence, time, kind, owner, chunks, reasons, details, previous_hash, hash, seal)"
            " SELECT 6, time, kind, owner, chunks, reasons, details, previous_hash, 'new', seal FROM audit"
            " WHERE sequence = 5",
            "audit.previous_hash",
        ),
    ],
)
def test_the_database_refuses_everything_else(filled: Settings, statement: str, refusal: str) -> None:
    database = open_app_database(filled)

    def change(connection: Connection) -> None:
        written = OVERWRITES[connection.dialect.name] if statement == OVERWRITE else statement
        connection.execute(text(written))

    with pytest.raises(DBAPIError, match=refusal):
        asyncio.run(database.write(change))
    database.close()


async def test_the_key_is_made_once_and_for_nobody_else(database: Database, kept: Settings) -> None:
    file = kept.audit_key_file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = await asyncio.to_thread(open_app_database, kept)
    assert again.audit.key.fingerprint("x") == database.audit.key.fingerprint("x")
    await asyncio.to_thread(again.close)


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "ab" * 31])
def test_what_is_no_key_is_refused(kept: Settings, content: str) -> None:
    kept.audit_key_file.write_text(content)
    with pytest.raises(AuditKeyError, match="no audit key"):
        open_app_database(kept)


def test_a_fingerprint_says_nothing_without_the_key(tmp_path: Path) -> None:
    one, other = AuditKey(bytes(32)), AuditKey(bytes([1] * 32))
    values: list[Any] = ["2400 EUR at ElectroWorld", {"amount": 2400, "currency": "EUR"}]
    for value in values:
        assert one.fingerprint(value) == one.fingerprint(value)
        assert one.fingerprint(value) != other.fingerprint(value)
    assert one.fingerprint({"a": 1, "b": 2}) == one.fingerprint({"b": 2, "a": 1})
    assert one.fingerprint("row") != one.seal("row", "row")
    with pytest.raises(AuditKeyError, match="cannot be read"):
        load_key(tmp_path / "nothing")


def test_a_log_that_nobody_touched_is_whole(filled: Settings) -> None:
    checked = check(filled)
    assert found(checked) == []
    assert checked.rows == 5
