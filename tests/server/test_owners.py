"""Every row belongs to an owner: somebody else's is not found."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.db.engine import Database, open_database
from server.documents import DocumentService
from server.ingestion.rows import DocumentRows
from server.ingestion.upload import NewDocument
from server.runs.events import EventLog
from server.runs.rows import NewRun, Outcome
from server.runs.store import RunStore
from tools.errors import NotFoundError


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "app.db")
    yield opened
    opened.close()


def new_run(owner: str, thread_id: str = "shared") -> NewRun:
    return NewRun(str(uuid.uuid4()), thread_id, owner, "hello", {}, uuid.uuid4().hex)


async def test_another_owner_s_run_and_thread_are_not_found(database: Database) -> None:
    store = RunStore(database)
    run = new_run("ann")
    await store.create(run)
    for attempt in (
        store.get("bob", run.run_id),
        store.thread("bob", "shared"),
        store.delete_thread("bob", "shared"),
        store.create(new_run("bob")),
    ):
        with pytest.raises(NotFoundError):
            await attempt
    assert await store.threads("bob", 10) == []
    assert [row.thread_id for row in await store.threads("ann", 10)] == ["shared"]
    assert (await store.get("ann", run.run_id)).message == "hello"
    assert len((await store.thread("ann", "shared"))[1]) == 1


async def test_another_owner_s_document_is_not_found(database: Database, tmp_path: Path) -> None:
    documents = DocumentService(database, tmp_path)
    row = NewDocument("ann", b"text", "a.txt", document_id="policy", plain_text=True)
    await DocumentRows(database).put(row, "upload")
    for attempt in (
        documents.get("bob", "policy"),
        documents.retry("bob", "policy"),
        documents.delete("bob", "policy"),
    ):
        with pytest.raises(NotFoundError):
            await attempt
    assert await documents.text("bob", "policy") is None
    assert await documents.list("bob") == []
    assert (await documents.get("ann", "policy")).status == "queued"


async def test_runs_cut_off_by_a_kill_are_ended_and_logged(database: Database) -> None:
    store = RunStore(database)
    cut, done = new_run("ann"), new_run("ann")
    await store.create(cut)
    await store.create(done)
    log = EventLog(done.run_id)
    log.append("end", {})
    await store.finish(done, log.events, Outcome("success", {"answer": "a"}, None, None, 1.0))
    assert await store.close_unfinished() == 1
    assert await store.close_unfinished() == 0
    row = await store.get("ann", cut.run_id)
    assert (row.status, row.error_code, row.message) == ("error", "server_stopped", "hello")
    events = await store.events(cut.run_id, 0)
    assert [(event.seq, event.name) for event in events] == [(1, "run"), (2, "error"), (3, "end")]
    assert cut.trace_id in events[1].data
    assert (await store.get("ann", done.run_id)).status == "success"


async def test_many_writers_take_turns(database: Database) -> None:
    store = RunStore(database)
    runs = [new_run("ann", f"thread-{n % 5}") for n in range(100)]
    await asyncio.gather(*(store.create(run) for run in runs))
    assert len(await store.threads("ann", 100)) == 5
    counted = [len((await store.thread("ann", f"thread-{n}"))[1]) for n in range(5)]
    assert counted == [20] * 5
