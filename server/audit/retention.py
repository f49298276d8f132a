"""Old entries go, and the log says so itself: it stays verifiable from the first row that is left."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, func, select

from server.audit.entry import AuditEntry, timestamp
from server.audit.trail import AuditTrail
from server.db.engine import Database
from server.db.tables import audit

_log = logging.getLogger(__name__)

_EVERY_S = 24 * 3600.0
_SYSTEM = "system"


def prune(connection: Connection, trail: AuditTrail, before: datetime) -> int:
    """Delete the rows from the first one on that are older than `before`; returns how many.

    An `audit_pruned` row is added first, with the hash of the last row that goes: the row after that one links to it.
    """
    kept = select(func.min(audit.c.sequence)).where(audit.c.time >= timestamp(before))
    first_kept: int | None = connection.execute(kept).scalar()
    old = select(audit.c.sequence, audit.c.hash).order_by(audit.c.sequence.desc()).limit(1)
    if first_kept is not None:
        old = old.where(audit.c.sequence < first_kept)
    last = connection.execute(old).first()
    if last is None:
        return 0
    gone = audit.c.sequence <= last.sequence
    rows = connection.execute(select(func.count()).select_from(audit).where(gone)).scalar_one()
    details = {
        "through_sequence": last.sequence,
        "through_hash": last.hash,
        "rows": rows,
        "before": timestamp(before),
    }
    trail.append(connection, AuditEntry("audit_pruned", _SYSTEM, outcome="pruned", details=details))
    connection.execute(delete(audit).where(gone))
    return rows


async def keep_pruned(database: Database, days: int) -> None:
    """Prune what is older than `days`, now and once a day; does not return."""
    while True:
        try:
            await _prune_once(database, days)
        except Exception:  # noqa: BLE001 - the edge of this task, which goes on
            _log.exception("the audit log could not be pruned; it is tried again in a day")
        await asyncio.sleep(_EVERY_S)


async def _prune_once(database: Database, days: int) -> None:
    before = datetime.now(UTC) - timedelta(days=days)
    if rows := await database.write(lambda connection: prune(connection, database.audit, before)):
        _log.info("%d audit rows were older than %d days and are pruned", rows, days)
