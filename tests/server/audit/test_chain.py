"""What somebody did to the database is found, with the row and the reason."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from agent.settings import Settings
from server.audit.entry import AuditEntry, row_hash
from server.audit.head import read_head
from server.storage import open_app_database
from tests.server.audit.logs import check, fill, found, rows_of, tamper

_SWAP = (
    "UPDATE audit SET sequence = 99 WHERE sequence = 2",
    "UPDATE audit SET sequence = 2 WHERE sequence = 3",
    "UPDATE audit SET sequence = 3 WHERE sequence = 99",
)
_COPY = (
    "INSERT INTO audit (sequence, time, kind, owner, chunks, reasons, details, previous_hash, hash, seal)"
    " SELECT 6, time, kind, owner, chunks, reasons, details, 'other', 'new', seal FROM audit WHERE sequence = 5"
)


@pytest.mark.parametrize(
    ("statements", "problems"),
    [
        (["UPDATE audit SET outcome = 'LEGITIMATE' WHERE sequence = 2"], [("edited", 2)]),
        (["UPDATE audit SET score = 0.1 WHERE sequence = 2"], [("edited", 2)]),
        (["UPDATE audit SET reasons = '[]' WHERE sequence = 2"], [("edited", 2)]),
        (["UPDATE audit SET time = '2020' WHERE sequence = 1"], [("edited", 1)]),
        (["UPDATE audit SET hash = 'x' WHERE sequence = 2"], [("edited", 2), ("unlinked", 3)]),
        (["UPDATE audit SET seal = 'x' WHERE sequence = 2"], [("edited", 2)]),
        (["DELETE FROM audit WHERE sequence = 3"], [("missing", 4)]),
        (["DELETE FROM audit WHERE sequence IN (2, 3)"], [("missing", 4)]),
        (["DELETE FROM audit WHERE sequence = 1"], [("start_missing", 2)]),
        (["DELETE FROM audit WHERE sequence = 5"], [("tail_missing", 5), ("tail_missing", 5)]),
        (["DELETE FROM audit"], [("tail_missing", 1), ("tail_missing", 1)]),
        (_SWAP, [("edited", 2), ("unlinked", 2), ("edited", 3), ("unlinked", 3), ("unlinked", 4)]),
        ([_COPY], [("edited", 6), ("unlinked", 6)]),
        (["UPDATE audit_end SET sequence = 3"], [("head_differs", 3)]),
        (["DELETE FROM audit_end"], [("head_missing", None)]),
    ],
)
def test_a_change_is_found(filled: Settings, statements: list[str], problems: list[tuple[str, int | None]]) -> None:
    tamper(filled, *statements)
    assert found(check(filled)) == problems


@pytest.mark.parametrize("kept", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("statement", "sequence"),
    [
        ("UPDATE audit SET score = 'high' WHERE sequence = 2", 2),
        ("UPDATE audit SET owner = x'ff00' WHERE sequence = 2", 2),
        ("UPDATE audit SET details = '{' WHERE sequence = 5", 5),
    ],
)
def test_a_value_of_another_type_is_found(filled: Settings, statement: str, sequence: int) -> None:
    """PostgreSQL's columns do not take such values."""
    tamper(filled, statement)
    assert found(check(filled)) == [("edited", sequence)]


def test_a_row_that_was_rewritten_with_its_hash_lacks_its_seal_and_its_place(filled: Settings) -> None:
    row = dict(rows_of(filled)[1])
    row["outcome"] = "LEGITIMATE"
    tamper(filled, "UPDATE audit SET outcome = 'LEGITIMATE', hash = :hash WHERE sequence = 2", hash=row_hash(row))
    assert found(check(filled)) == [("forged", 2), ("unlinked", 3)]


def test_a_tail_that_was_cut_off_with_its_end_is_missed_by_the_head(filled: Settings) -> None:
    last = rows_of(filled)[2]
    tamper(filled, "DELETE FROM audit WHERE sequence > 3")
    tamper(filled, "UPDATE audit_end SET sequence = 3, hash = :hash", hash=last["hash"])
    assert found(check(filled)) == [("tail_missing", 4)]


async def test_the_head_stays_where_the_log_was_cut_off(filled: Settings, caplog: pytest.LogCaptureFixture) -> None:
    last = rows_of(filled)[2]
    tamper(filled, "DELETE FROM audit WHERE sequence > 3")
    tamper(filled, "UPDATE audit_end SET sequence = 3, hash = :hash", hash=last["hash"])
    database = await asyncio.to_thread(open_app_database, filled)
    await fill(database, *(AuditEntry("key_created", "eve") for _ in range(3)))
    await asyncio.to_thread(database.close)
    assert found(check(filled)) == [("head_differs", 5)]
    (said,) = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert "does not hold row 5" in said
    assert "switchyard audit verify" in said


def test_a_head_that_somebody_wrote_is_found(filled: Settings) -> None:
    file = filled.audit_head_file
    third = rows_of(filled)[2]
    head = json.loads(file.read_text()) | {"sequence": 3, "hash": third["hash"]}
    file.write_text(json.dumps(head))
    assert found(check(filled)) == [("head_forged", 3)]


def test_a_head_that_is_gone_is_found(filled: Settings) -> None:
    filled.audit_head_file.unlink()
    assert found(check(filled)) == [("head_missing", None)]


def test_a_head_that_a_crash_left_behind_is_moved_at_the_next_start(filled: Settings) -> None:
    file = filled.audit_head_file
    file.unlink()
    open_app_database(filled).close()
    head = read_head(file)
    assert head is not None
    assert (head.sequence, head.hash) == (5, rows_of(filled)[-1]["hash"])


def test_a_log_without_a_row_is_whole(kept: Settings) -> None:
    open_app_database(kept).close()
    checked = check(kept)
    assert (found(checked), checked.rows) == ([], 0)
    assert not kept.audit_head_file.exists()


def test_of_very_many_problems_a_hundred_are_told(filled: Settings) -> None:
    checked = check(filled)
    for n in range(150):
        checked.report("edited", "changed", n)
    assert (len(checked.problems), checked.left_out) == (100, 50)
