"""Old rows go, and what is left is still a whole log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.settings import Settings
from server.audit.chain import ChainCheck
from server.audit.entry import AuditEntry, row_hash, sealed_text
from server.audit.key import AuditKey
from server.audit.retention import keep_pruned, prune
from server.db.engine import Database
from server.storage import open_app_database
from tests.server.audit.logs import check, fill, found, rows_of, tamper

_FUTURE = datetime(2099, 1, 1, tzinfo=UTC)


async def pruned_before(database: Database, moment: datetime) -> int:
    return await database.write(lambda connection: prune(connection, database.audit, moment))


async def test_what_is_left_is_whole_and_can_be_pruned_again(database: Database, kept: Settings) -> None:
    rows = await fill(database)
    assert await pruned_before(database, datetime.fromisoformat(rows[2]["time"])) == 2
    assert [row["sequence"] for row in rows_of(kept)] == [3, 4, 5, 6]
    said = rows_of(kept)[-1]
    assert (said["kind"], said["details"]["through_sequence"], said["details"]["rows"]) == ("audit_pruned", 2, 2)
    assert said["details"]["through_hash"] == rows[1]["hash"]
    await fill(database, AuditEntry("key_created", "ann"))
    assert await pruned_before(database, _FUTURE) == 5
    assert [row["kind"] for row in rows_of(kept)] == ["audit_pruned"]
    await asyncio.to_thread(database.close)
    assert found(check(kept)) == []
    # The head of before is still explained after a restart.
    await asyncio.to_thread(lambda: open_app_database(kept).close())
    assert found(check(kept)) == []


async def test_where_nothing_is_old_nothing_changes(database: Database, kept: Settings) -> None:
    assert await pruned_before(database, _FUTURE) == 0
    await fill(database)
    assert await pruned_before(database, datetime.now(UTC) - timedelta(days=1)) == 0
    assert len(rows_of(kept)) == 5


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM audit WHERE sequence = 3", ("start_missing", 4)),
        ("UPDATE audit SET details = '{}' WHERE sequence = 6", ("edited", 6)),
    ],
)
async def test_a_deletion_that_the_log_does_not_speak_of_is_found(
    kept: Settings, statement: str, problem: tuple[str, int]
) -> None:
    database = await asyncio.to_thread(open_app_database, kept)
    rows = await fill(database)
    await pruned_before(database, datetime.fromisoformat(rows[2]["time"]))
    await asyncio.to_thread(database.close)
    await asyncio.to_thread(tamper, kept, statement)
    assert problem in found(check(kept))


async def test_the_server_prunes_by_itself(database: Database, kept: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(database)

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime.now(UTC) + timedelta(days=31)

    monkeypatch.setattr("server.audit.retention.datetime", Later)
    task = asyncio.create_task(keep_pruned(database, 30))
    try:
        while [row["kind"] for row in await asyncio.to_thread(rows_of, kept)] != ["audit_pruned"]:
            assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait([task])


@given(kept=st.integers(1, 6), change=st.sampled_from(["drop", "swap", "edit", "none"]), at=st.integers(0, 5))
def test_a_pruned_chain_shows_every_change(kept: int, change: str, at: int) -> None:
    key = AuditKey(bytes(32))
    rows = []
    last = "0" * 64
    for sequence in range(1, 8):
        details = {} if sequence < 7 else {"through_sequence": 7 - kept, "through_hash": rows[6 - kept]["hash"]}
        row = AuditEntry("audit_pruned" if details else "key_created", "ann", details=details).content(sequence, last)
        row["seal"] = key.seal("row", sealed_text(row))
        last = row["hash"] = row_hash(row)
        rows.append(row)
    left = rows[7 - kept :]
    at = at % kept
    changes: dict[str, Callable[[], object]] = {
        "drop": lambda: left.pop(at),
        "swap": lambda: left.insert(at + 1, left.pop(at)),
        "edit": lambda: left.__setitem__(at, {**left[at], "owner": "eve"}),
        "none": lambda: None,
    }
    changes[change]()
    unchanged = change == "none" or (change == "swap" and at == len(left) - 1)
    checked = ChainCheck(key, hashes={7: ""})
    for row in left:
        checked.add(row)
    checked.check_start(checked.start_of_log())
    checked.check_head(7, last, "the head")
    assert bool(checked.problems) is not unchanged
