"""The table of documents decides who works on what, and which uploads are needed."""

from __future__ import annotations

import pytest

from server.db.engine import Database
from server.ingestion.rows import DocumentRow, DocumentRows
from server.ingestion.upload import NewDocument


@pytest.fixture
def rows(database: Database) -> DocumentRows:
    return DocumentRows(database)


def version(content: bytes, year: int = 2026) -> NewDocument:
    return NewDocument("ann", content, "policy.txt", "policy", metadata={"year": year})


async def started(rows: DocumentRows, document: NewDocument, upload_id: str) -> DocumentRow:
    await rows.put(document, upload_id)
    row = await rows.start(document.key)
    assert row is not None
    return row


async def test_what_waits_already_is_not_queued_twice(rows: DocumentRows) -> None:
    assert await rows.put(version(b"first"), "one") is None
    assert await rows.put(version(b"first"), "two") == "two"


async def test_a_version_that_is_replaced_before_its_turn_is_not_needed(rows: DocumentRows) -> None:
    await rows.put(version(b"first"), "one")
    assert await rows.put(version(b"second"), "two") == "one"
    assert await rows.put(version(b"second", year=2027), "three") == "two"


async def test_one_worker_takes_a_document(rows: DocumentRows) -> None:
    row = await started(rows, version(b"first"), "one")
    assert (row.status, row.attempts, row.upload_id) == ("indexing", 1, "one")
    assert await rows.start(row.key) is None


async def test_an_outcome_of_an_earlier_upload_is_not_written(rows: DocumentRows) -> None:
    row = await started(rows, version(b"first"), "one")
    assert await rows.put(version(b"second"), "two") is None
    assert not await rows.finish(row, status="indexed")
    (waiting,) = await rows.list("ann", "queued")
    assert waiting.upload_id == "two"
    again = await rows.start(row.key)
    assert again is not None
    assert await rows.finish(again, status="indexed")


async def test_attempts_are_counted_anew_for_a_new_upload(rows: DocumentRows) -> None:
    row = await started(rows, version(b"first"), "one")
    await rows.finish(row, status="failed", error_code="no_text", error_message="No text.")
    assert await rows.requeue(row.key)
    assert not await rows.requeue(row.key)
    retried = await rows.start(row.key)
    assert retried is not None
    assert (retried.attempts, retried.error_code) == (2, None)
    await rows.finish(retried, status="failed", error_code="no_text", error_message="No text.")
    assert await rows.failed_uploads() == ["one"]
    assert await rows.put(version(b"first"), "two") == "one"
    assert [one.attempts for one in await rows.list("ann")] == [0]


async def test_how_to_read_it_again_is_kept(rows: DocumentRows) -> None:
    row = await started(rows, version(b"first"), "one")
    assert row.source == version(b"first").source
    assert row.is_version(version(b"first"))
    assert not row.is_version(version(b"first", year=2027))


async def test_what_another_process_works_on_does_not_fail(rows: DocumentRows) -> None:
    await rows.put(version(b"mine"), "mine")
    await rows.put(NewDocument("ann", b"theirs", "other.txt", "other"), "theirs")
    assert [key.document_id for key in await rows.unfinished(["mine"])] == ["policy"]
    assert await rows.fail_unfinished("interrupted", "The server stopped.", ["mine"]) == 1
    assert {row.document_id: row.status for row in await rows.list("ann")} == {"policy": "failed", "other": "queued"}
    assert await rows.fail_unfinished("interrupted", "The server stopped.", []) == 0
