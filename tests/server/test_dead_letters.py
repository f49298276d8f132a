"""Documents that failed: listed with the reason, tried again, and nothing lost when the server is killed."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from server.db.engine import open_database
from server.ingestion.rows import DocumentRows
from server.ingestion.spool import Spool
from server.ingestion.upload import NewDocument
from tests.fakes.endpoint import FakeEndpoint
from tests.server.errors import assert_error
from tests.server.site import Site, serve, settings_for

BROKEN = b"%PDF-1.7\nnothing"
RULE = b"The vault opens at eight in the morning."


def dead_letters(site: Site, collection: str) -> list[dict[str, Any]]:
    listed = site.http.get("/documents", params={"status": "failed"}).json()["documents"]
    return [document for document in listed if document["collection"] == collection]


def retry(site: Site, *ids: str, **fields: str) -> dict[str, Any]:
    answer = site.http.post("/documents/retry", json={"ids": ids, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def uploads(site: Site) -> list[str]:
    return [path.name for path in site.settings.upload_folder.glob("*")]


def chunk_ids(site: Site, collection: str) -> list[str]:
    body = {"query": "vault", "collection": collection, "top_k": 100}
    return sorted(result["chunk_id"] for result in site.http.post("/search", json=body).json()["results"])


def test_a_dead_letter_says_why_and_how_often_it_was_tried(site: Site) -> None:
    site.upload("broken.pdf", BROKEN, id="dead", collection="dead")
    site.upload("fine.txt", RULE, id="fine", collection="dead")
    (letter,) = dead_letters(site, "dead")
    assert (letter["document_id"], letter["error"]["code"], letter["attempts"]) == ("dead", "corrupt_document", 1)
    answer = retry(site, "dead", collection="dead")
    assert answer == {
        "indexed": 0,
        "failed": [{"id": "dead", "error": "corrupt_document", "message": letter["error"]["message"]}],
    }
    (letter,) = dead_letters(site, "dead")
    assert (letter["error"]["code"], letter["attempts"]) == ("corrupt_document", 2)


def test_a_new_file_under_the_id_of_a_dead_letter_replaces_it(site: Site) -> None:
    site.upload("form.pdf", BROKEN, id="form", collection="mended")
    kept = set(uploads(site))
    assert site.upload("form.txt", RULE, id="form", collection="mended").status_code == 201
    assert dead_letters(site, "mended") == []
    assert len(kept - set(uploads(site))) == 1
    assert chunk_ids(site, "mended") == ["form#0"]


def test_what_cannot_be_tried_again_says_so(site: Site) -> None:
    site.upload("fine.txt", RULE, id="whole", collection="retry")
    site.upload("lost.pdf", BROKEN, id="lost", collection="retry")
    (row,) = site.rows("SELECT upload_id FROM documents WHERE document_id = 'lost'")
    (site.settings.upload_folder / row["upload_id"]).unlink()
    failed = retry(site, "whole", "lost", "nobody's")["failed"]
    assert [(one["id"], one["error"]) for one in failed] == [
        ("whole", "not_failed"),
        ("lost", "source_missing"),
        ("nobody's", "not_found"),
    ]
    assert_error(site.http.post("/documents/retry", json={"ids": []}), 422, "invalid_request")


def test_bytes_are_kept_only_while_they_are_needed(site: Site) -> None:
    before = set(uploads(site))
    site.upload("fine.txt", RULE, id="needed", collection="needed")
    assert set(uploads(site)) == before
    site.upload("broken.pdf", BROKEN, id="needed", collection="needed")
    assert len(set(uploads(site)) - before) == 1
    site.http.delete("/documents/needed")
    assert set(uploads(site)) == before


@pytest.mark.parametrize("killed_while", ["queued", "indexing"])
def test_a_kill_loses_nothing_and_doubles_nothing(
    killed_while: str, fake: FakeEndpoint, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """The states that a kill leaves: written down and not begun; chunks written and the row not yet."""
    settings = settings_for(tmp_path, fake, pytestconfig)
    with serve(settings) as first:
        if killed_while == "indexing":
            assert first.upload("rule.txt", RULE, id="rule").status_code == 201
    leave_unfinished(settings.app_database, settings.upload_folder, killed_while)
    with serve(settings) as second:
        (letter,) = dead_letters(second, "default")
        assert (letter["document_id"], letter["error"]["code"]) == ("rule", "interrupted")
        assert chunk_ids(second, "default") == []
        assert uploads(second) == ["upload"]
        assert retry(second, "rule") == {"indexed": 1, "failed": []}
        assert chunk_ids(second, "default") == ["rule#0"]
        assert uploads(second) == []
        assert dead_letters(second, "default") == []


def leave_unfinished(database: Path, folder: Path, status: str) -> None:
    document = NewDocument("local", RULE, "rule.txt", "rule", metadata={"year": 2026})
    Spool(folder).keep("upload", RULE)
    Spool(folder).keep("never written down", RULE)
    opened = open_database(database)
    asyncio.run(DocumentRows(opened).put(document, "upload"))
    opened.close()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE documents SET status = ?", (status,))
