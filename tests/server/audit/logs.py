"""Audit logs to read and to tamper with."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import text

from agent.settings import Settings
from server.audit.chain import ChainCheck
from server.audit.entry import AuditEntry, Row
from server.audit.head import read_head
from server.audit.key import load_key
from server.audit.reading import check_log, stored_rows
from server.db.engine import Database
from server.storage import read_audit_log
from tests.server.engines import engine_of

_Result = TypeVar("_Result")

_NO_TRIGGERS = {
    "sqlite": [f"DROP TRIGGER IF EXISTS audit_{name}" for name in ("insert", "update", "delete")],
    "postgresql": ["ALTER TABLE audit DISABLE TRIGGER USER"],
}

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


def rows_of(kept: Settings, *bounds: datetime | None) -> list[Row]:
    """The stored rows."""

    def read() -> list[Row]:
        with read_audit_log(kept) as connection:
            return list(stored_rows(connection, *bounds))

    return _aside(read)


def check(kept: Settings) -> ChainCheck:
    """The whole log, checked against its key and its head."""

    def read() -> ChainCheck:
        head = read_head(kept.audit_head_file)
        with read_audit_log(kept) as connection:
            return check_log(connection, head, load_key(kept.audit_key_file))

    return _aside(read)


def _aside(work: Callable[[], _Result]) -> _Result:
    """Do what blocks where no event loop runs."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def found(checked: ChainCheck) -> list[tuple[str, int | None]]:
    """What is wrong, and where."""
    return [(problem.code, problem.sequence) for problem in checked.problems]


def tamper(kept: Settings, *statements: str, **values: Any) -> None:
    """Change the database as somebody would who may write to it, triggers or not."""
    engine = engine_of(kept)
    with engine.begin() as connection:
        for statement in (*_NO_TRIGGERS[engine.dialect.name], *statements):
            connection.execute(text(statement), values)
    engine.dispose()
