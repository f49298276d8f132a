"""The audit log read from its database, beside a running server or without one. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, func, inspect, select

from server.audit.chain import ChainCheck
from server.audit.entry import Row, timestamp
from server.audit.head import Head
from server.audit.key import AuditKey
from server.db.dialects import LARGEST_INTEGER
from server.db.tables import audit, audit_end
from tools.errors import SwitchyardError

_ROWS_AT_ONCE = 1000


class NoAuditLogError(SwitchyardError):
    """There is no audit log to read."""

    code = "no_audit_log"


def require_log(connection: Connection, database: str) -> None:
    """Make sure that there is a log.

    Raises:
        NoAuditLogError: there is none in `database`, as people name it.
    """
    if not inspect(connection).has_table(audit.name):
        raise NoAuditLogError(f"{database} has no audit log yet. Start the server once: it is made then.")


def stored_rows(connection: Connection, since: datetime | None = None, until: datetime | None = None) -> Iterator[Row]:
    """The rows in their order: all, or those from the first at or after `since` to the last before `until`.

    No row between two of these is left out, also where a clock was set back.
    """
    query = select(audit).order_by(audit.c.sequence)
    if since is not None:
        query = query.where(audit.c.sequence >= _bound(connection, since, last=False))
    if until is not None:
        query = query.where(audit.c.sequence <= _bound(connection, until, last=True))
    found = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query).mappings()
    return (dict(row) for row in found)


def check_log(connection: Connection, head: Head | None, key: AuditKey | None) -> ChainCheck:
    """Check the whole log, against `head` as it was before the log was read."""
    check = ChainCheck(key)
    end = connection.execute(select(audit_end.c.sequence, audit_end.c.hash)).first()
    check.hashes = {known.sequence: "" for known in (end, head) if known is not None}
    for row in stored_rows(connection):
        check.add(row)
    check.check_start(check.start_of_log())
    if end is not None:
        check.check_head(end.sequence, end.hash, "the table audit_end")
    else:
        check.report("head_missing", "the table audit_end is empty")
    if head is not None:
        check.check_seal_of(head, "the head's file")
        check.check_head(head.sequence, head.hash, "the head's file")
    elif check.rows:
        check.report("head_missing", "the head's file is missing: nobody can say whether the last rows were cut off")
    return check


def _bound(connection: Connection, moment: datetime, *, last: bool) -> int:
    time = timestamp(moment)
    found = func.max(audit.c.sequence) if last else func.min(audit.c.sequence)
    within = audit.c.time < time if last else audit.c.time >= time
    sequence = connection.execute(select(found).where(within)).scalar()
    if sequence is not None:
        return sequence
    # Nothing is as early, or as late: the range is empty.
    return 0 if last else LARGEST_INTEGER
