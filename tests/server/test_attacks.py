"""Attacks on the HTTP API: other people's ids, paths as ids, input without end."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.security.cases import attacks
from tests.server.errors import assert_error
from tests.server.site import Site


@pytest.fixture(scope="module")
def victim(site: Site) -> Site:
    """The site with a thread and a document of somebody else."""
    with closing(sqlite3.connect(site.settings.app_database)) as database, database:
        database.execute(
            "INSERT OR IGNORE INTO threads (thread_id, owner, title, created_at, updated_at) "
            "VALUES ('bobs-thread', 'bob', 'His own', 0, 0)"
        )
        columns = {row[1]: row for row in database.execute("PRAGMA table_info(documents)")}
        assert "owner" in columns
    return site


def body_of(attack: dict[str, Any]) -> Any:
    """The request's body; what is repeated or nested is made here."""
    body: dict[str, Any] = dict(attack.get("body", {}))
    if "repeat" in attack:
        path, text, times = attack["repeat"]
        place = body
        *parents, name = path.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = text * times
    if "deep" in attack:
        name, levels = attack["deep"]
        nested: Any = {}
        for _ in range(levels):
            nested = {"a": nested}
        body[name] = nested
    return body


@attacks("request")
def test_the_request_is_refused_and_nothing_is_stored(victim: Site, attack: dict[str, Any]) -> None:
    def rows() -> list[int]:
        return [victim.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in ("runs", "threads", "documents")]

    before = rows()
    method, path = attack["call"]
    answer = victim.http.request(method, path, json=None if method == "GET" else body_of(attack))
    if attack.get("empty"):
        assert (answer.status_code, answer.json()["results"]) == (attack["status"], [])
    else:
        assert_error(answer, attack["status"], attack["code"])
    assert rows() == before
