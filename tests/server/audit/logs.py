"""Audit logs to read and to tamper with."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from server.audit.chain import ChainCheck
from server.audit.entry import AuditEntry, Row
from server.audit.head import read_head
from server.audit.key import load_key
from server.audit.reading import check_log, open_log, stored_rows
from server.db.engine import Database

_Result = TypeVar("_Result")

ENTRIES = (
    AuditEntry("run_ended", "ann", run_id="run-1", route="knowledge", chunks=["policy#0", "policy#3"], score=0.75),
    AuditEntry("fraud_decision", "ann", run_id="run-2", route="fraud", outcome="FRAUD", score=1.0, reasons=["night"]),
    AuditEntry("document_deleted", "bo", subject='default/=SUM(A1), "quoted"\nand on'),
    AuditEntry("review_decision", "ann", run_id="run-2", human_override={"label": "LEGITIMATE", "by": "Zoë"}),
    AuditEntry("key_created", "ann", subject="key-1", details={"scopes": ["chat"], "days": 30, "share": 1e-7}),
)


async def fill(database: Database, *entries: AuditEntry) -> list[Row]:
    """Append entries, each in a transaction of its own."""
    rows: list[Row] = []
    for entry in entries or ENTRIES:
        row = await database.write(lambda connection, entry=entry: database.audit.append(connection, entry))
        assert row is not None
        rows.append(row)
    return rows


def rows_of(path: Path, *bounds: datetime | None) -> list[Row]:
    """The stored rows."""

    def read() -> list[Row]:
        with open_log(path) as connection:
            return list(stored_rows(connection, *bounds))

    return _aside(read)


def check(path: Path) -> ChainCheck:
    """The whole log in `path`, checked against the key and the head beside it."""

    def read() -> ChainCheck:
        head = read_head(path.with_name("audit-head.json"))
        with open_log(path) as connection:
            return check_log(connection, head, load_key(path.with_name("audit.key")))

    return _aside(read)


def _aside(work: Callable[[], _Result]) -> _Result:
    """Do what blocks where no event loop runs."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def found(checked: ChainCheck) -> list[tuple[str, int | None]]:
    """What is wrong, and where."""
    return [(problem.code, problem.sequence) for problem in checked.problems]


def tamper(path: Path, *statements: str, values: tuple[Any, ...] = ()) -> None:
    """Change the database as somebody would who may write to its file, triggers or not."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for trigger in ("audit_insert", "audit_update", "audit_delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for statement in statements:
            connection.execute(statement, values)
