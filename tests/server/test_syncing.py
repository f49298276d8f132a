"""What a folder has that its documents do not: new, changed, failed, cut off and gone files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.server.errors import assert_error
from tests.server.site import Site

SOURCE = "file:///srv/policies"


def plan(site: Site, collection: str, **revisions: str) -> dict[str, Any]:
    files = [{"path": f"{name}.md", "revision": revision} for name, revision in revisions.items()]
    answer = site.http.post("/documents/sync", json={"source": SOURCE, "collection": collection, "files": files})
    assert answer.status_code == 200, answer.text
    return answer.json()


def upload(site: Site, collection: str, path: str, revision: str, content: bytes) -> dict[str, Any]:
    return site.upload(
        path, content, collection=collection, sync_source=SOURCE, sync_path=path, sync_revision=revision
    ).json()


def test_new_changed_and_gone_files(site: Site) -> None:
    assert plan(site, "sync", fees="1", limits="1")["upload"] == ["fees.md", "limits.md"]
    first = upload(site, "sync", "fees.md", "1", b"A card costs ten euros.")
    upload(site, "sync", "limits.md", "1", b"The limit is 500 euros.")
    assert plan(site, "sync", fees="1", limits="1") == {"upload": [], "unchanged": 2, "failed": 0, "gone": []}
    changed = plan(site, "sync", fees="2")
    assert (changed["upload"], [gone["path"] for gone in changed["gone"]]) == (["fees.md"], ["limits.md"])
    assert plan(site, "another collection", fees="1")["upload"] == ["fees.md"]
    second = upload(site, "sync", "fees.md", "2", b"A card costs twelve euros.")
    assert second["document_id"] == first["document_id"]
    assert plan(site, "sync", fees="2", limits="1")["unchanged"] == 2


def test_a_file_that_was_only_touched_is_known_afterwards(site: Site) -> None:
    upload(site, "touched", "fees.md", "1", b"A card costs ten euros.")
    (before,) = site.rows("SELECT updated_at FROM documents WHERE collection = 'touched'")
    assert plan(site, "touched", fees="2")["upload"] == ["fees.md"]
    upload(site, "touched", "fees.md", "2", b"A card costs ten euros.")
    assert plan(site, "touched", fees="2")["unchanged"] == 1
    (after,) = site.rows("SELECT updated_at FROM documents WHERE collection = 'touched'")
    assert before == after


def test_a_broken_file_is_tried_again_when_it_changes(site: Site) -> None:
    upload(site, "broken", "fees.md", "1", b"\x89PNG\r\n\x1a\n" + bytes(64))
    assert plan(site, "broken", fees="1") == {"upload": [], "unchanged": 0, "failed": 1, "gone": []}
    assert plan(site, "broken", fees="2")["upload"] == ["fees.md"]


@pytest.mark.parametrize("code", ["interrupted", "internal_error", "source_missing"])
def test_what_was_cut_off_is_uploaded_again(site: Site, code: str) -> None:
    upload(site, code, "fees.md", "1", b"A card costs ten euros.")
    with closing(sqlite3.connect(site.settings.app_database)) as connection, connection:
        change = "UPDATE documents SET status = 'failed', error_code = ? WHERE collection = ?"
        connection.execute(change, (code, code))
    assert plan(site, code, fees="1")["upload"] == ["fees.md"]


def test_half_a_place_is_refused(site: Site) -> None:
    answer = site.upload("fees.md", b"text", sync_source=SOURCE, sync_path="fees.md")
    assert_error(answer, 422, "invalid_sync")
    assert_error(site.http.post("/documents/sync", json={"source": "", "files": []}), 422, "invalid_request")
