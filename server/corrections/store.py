"""Corrections in the app database; always for one owner. A later one of the same field takes the place of the first."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, RowMapping, delete, func, select

from server.audit.entry import AuditEntry
from server.corrections.rows import CorrectedField, CorrectionRow, CorrectionSource
from server.db.dialects import insert_into
from server.db.engine import Database
from server.db.tables import corrections, runs


class CorrectionStore:
    """Reads and writes corrections."""

    def __init__(self, database: Database) -> None:
        """Keep everything in `database`."""
        self._database = database

    async def put(
        self, owner: str, source: CorrectionSource, fields: Sequence[CorrectedField], input_hash: str
    ) -> None:
        """Store corrections together with their entry in the audit log, which knows the text by `input_hash`."""
        audit, now = self._database.audit, time.time()
        values_hash = audit.key.fingerprint({field.field: field.value for field in fields})
        entry = _audit_entry(owner, source, fields, input_hash, values_hash)
        about = asdict(source)
        about["source"] = about.pop("key")

        def write(connection: Connection) -> None:
            for field in fields:
                values = {"owner": owner, **about, **asdict(field), "value": {"value": field.value}, "created_at": now}
                upsert = insert_into(connection, corrections).values(values)
                keys = ["owner", "source", "field"]
                changes = {name: value for name, value in values.items() if name not in keys}
                connection.execute(upsert.on_conflict_do_update(index_elements=keys, set_=changes))
            audit.append(connection, entry)

        await self._database.write(write)

    async def page(self, owner: str, *, limit: int, offset: int = 0) -> tuple[list[CorrectionRow], int]:
        """An owner's corrections, the oldest first, and how many there are without pages."""
        mine = corrections.c.owner == owner
        query = select(corrections).where(mine).order_by(*_ORDER).limit(limit).offset(offset)
        count = select(func.count()).select_from(corrections).where(mine)

        def read(connection: Connection) -> tuple[list[CorrectionRow], int]:
            rows = [correction_row(found) for found in connection.execute(query).mappings()]
            return rows, connection.execute(count).scalar_one()

        return await self._database.read(read)

    async def of_thread(self, owner: str, thread_id: str) -> Mapping[str, Sequence[CorrectionRow]]:
        """The corrections of a thread's answers, by run."""
        query = (
            select(corrections)
            .join(runs, runs.c.run_id == corrections.c.run_id)
            .where(corrections.c.owner == owner, runs.c.thread_id == thread_id)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        found: dict[str, list[CorrectionRow]] = {}
        for row in map(correction_row, rows):
            found.setdefault(row.run_id or "", []).append(row)
        return found


_ORDER = (corrections.c.created_at, corrections.c.source, corrections.c.field)


def stored_corrections(connection: Connection, owners: Sequence[str]) -> list[CorrectionRow]:
    """All corrections of some owners, the oldest first."""
    query = select(corrections).where(corrections.c.owner.in_(owners)).order_by(*_ORDER)
    return [correction_row(found) for found in connection.execute(query).mappings()]


def correction_counts(connection: Connection) -> Mapping[str, int]:
    """How many corrections each owner has made."""
    query = select(corrections.c.owner, func.count()).group_by(corrections.c.owner).order_by(corrections.c.owner)
    return {row[0]: row[1] for row in connection.execute(query)}


def forget_document(connection: Connection, owner: str, document_id: str) -> None:
    """Remove what was read from a document: its words go with it."""
    connection.execute(
        delete(corrections).where(corrections.c.owner == owner, corrections.c.document_id == document_id)
    )


def _audit_entry(
    owner: str, source: CorrectionSource, fields: Sequence[CorrectedField], input_hash: str, output_hash: str
) -> AuditEntry:
    """What the audit log keeps: which fields, not their values."""
    names = [field.field for field in fields]
    return AuditEntry(
        "extraction_corrected",
        owner,
        run_id=source.run_id,
        subject=source.document_id,
        input_hash=input_hash,
        output_hash=output_hash,
        route="extraction",
        human_override={"by": owner, "fields": names},
        details={
            "schema": source.schema_name,
            "not_verbatim": [field.field for field in fields if not field.verbatim],
        },
    )


def correction_row(found: RowMapping) -> CorrectionRow:
    """A row of the table. SQLite would take JSON that is a bare number for a number: the value is kept in an object."""
    return CorrectionRow(**{**found, "value": found["value"]["value"]})
