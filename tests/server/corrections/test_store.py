"""Corrections in both databases: whatever a value is it comes back, once for each field, to its owner alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from agent.settings import Settings
from server.corrections.rows import CorrectionRow
from server.corrections.store import CorrectionStore, correction_counts, forget_document, stored_corrections
from server.db.engine import Database
from server.runs.rows import NewRun
from server.runs.store import RunStore
from server.storage import read_database
from tests.server.corrections.building import field, source

HASH = "cd" * 32


async def mine(store: CorrectionStore, owner: str = "ann") -> list[CorrectionRow]:
    return (await store.page(owner, limit=100))[0]


def exported(kept: Settings, owner: str) -> tuple[list[Any], Mapping[str, int]]:
    """What a command reads beside the server: an owner's values, and who has how many."""
    with read_database(kept) as connection:
        return [row.value for row in stored_corrections(connection, [owner])], correction_counts(connection)


@pytest.mark.parametrize("value", [None, True, False, 4, -(2**63), 0.1, 120.5, "", "4", "null", "Käse 🧀", "x" * 5000])
async def test_every_value_comes_back_as_it_is(database: Database, value: Any) -> None:
    store = CorrectionStore(database)
    await store.put("ann", source(), [field(value=value, extracted={"value": value}, evidence=None)], HASH)
    (row,) = await mine(store)
    assert (row.value, row.extracted, row.evidence) == (value, {"value": value}, None)
    assert type(row.value) is type(value)


async def test_a_field_s_latest_correction_counts(database: Database) -> None:
    store = CorrectionStore(database)
    await store.put("ann", source(), [field(), field("tax", None, extracted=None)], HASH)
    await store.put("ann", source(), [field(value=7)], HASH)
    await store.put("ann", source("text:other"), [field(value=8)], HASH)
    assert sorted((row.source, row.field, row.value) for row in await mine(store)) == [
        ("text:a:b", "tax", None),
        ("text:a:b", "total", 7),
        ("text:other", "total", 8),
    ]
    page, total = await store.page("ann", limit=1, offset=1)
    assert (len(page), total) == (1, 3)


async def test_another_owner_s_are_not_there(database: Database, kept: Settings) -> None:
    store = CorrectionStore(database)
    for owner in ("ann", "bob"):
        await store.put(owner, source(document_id="same"), [field(value=owner)], HASH)
    assert [row.value for row in await mine(store)] == ["ann"]
    assert await asyncio.to_thread(exported, kept, "bob") == (["bob"], {"ann": 1, "bob": 1})
    await database.write(lambda connection: forget_document(connection, "ann", "same"))
    assert await mine(store) == []
    assert len(await mine(store, "bob")) == 1


async def test_a_thread_s_are_found_by_run_and_go_with_it(database: Database) -> None:
    store, runs = CorrectionStore(database), RunStore(database)
    run = NewRun("run-1", "thread-1", "ann", "hello", {}, "00" * 16)
    await runs.create(run)
    await store.put("ann", source("run:run-1", run_id="run-1"), [field()], HASH)
    found = await store.of_thread("ann", "thread-1")
    assert {run_id: [row.field for row in rows] for run_id, rows in found.items()} == {"run-1": ["total"]}
    assert await store.of_thread("bob", "thread-1") == {}
    await runs.delete_thread("ann", "thread-1")
    assert await mine(store) == []
