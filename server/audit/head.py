"""The head: how far the audit log goes, in a small sealed file apart from the database.

A chain of hashes cannot tell that its last rows are gone. The head can: it is written after each commit, and only ever
moved forward, over a log that still holds what it said before.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection, Engine, select

from server.audit.entry import timestamp
from server.audit.key import AuditKey
from server.db.tables import audit
from tools.errors import SwitchyardError
from tools.files import write_atomically

_log = logging.getLogger(__name__)


class HeadError(SwitchyardError):
    """The head's file cannot be read."""

    code = "audit_head"


class Head(BaseModel):
    """The last row of the log at a moment."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    sequence: int = Field(ge=1)
    hash: str
    time: str
    seal: str

    @classmethod
    def at(cls, sequence: int, row_hash: str, key: AuditKey) -> Head:
        """The head for a row, sealed now."""
        time = timestamp(datetime.now(UTC))
        return cls(sequence=sequence, hash=row_hash, time=time, seal=key.seal("head", f"{sequence} {row_hash} {time}"))

    def is_sealed_with(self, key: AuditKey) -> bool:
        """Whether this key sealed it."""
        return key.fits("head", f"{self.sequence} {self.hash} {self.time}", self.seal)


def read_head(path: Path) -> Head | None:
    """The head in a file, or `None` where there is none. Blocks.

    Raises:
        HeadError: the file is not readable as a head.
    """
    try:
        return Head.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        raise HeadError(f"The head of the audit log, {path}, cannot be read.", path=str(path)) from None


class HeadKeeper:
    """Moves the head forward, on a thread of its own, so that nobody waits for the second file.

    A crash leaves the head behind the log, never before it. Where the log does not hold what the head says, the head
    stays as it is: it is the evidence.
    """

    def __init__(self, engine: Engine, key: AuditKey, path: Path) -> None:
        """Keep the head of the log in `engine`'s database in `path`."""
        self._engine = engine
        self._key = key
        self._path = path
        self._sequence = 0
        self._queued = False
        self._refused = False
        self._failing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="audit-head")

    def follow(self, sequence: int) -> None:
        """Move the head soon, if it is behind row `sequence`. Does not wait."""
        if sequence > self._sequence and not self._queued and not self._refused:
            self._queued = True
            self._thread.submit(self.catch_up)

    def catch_up(self) -> None:
        """Move the head to the last row. Blocks; a log that contradicts the head is reported once."""
        self._queued = False
        try:
            self._move()
            self._failing = False
        except HeadError as error:
            self._refuse(error.message)
        except OSError as error:
            # A full disk, say: the next commit tries again.
            if not self._failing:
                _log.error("the audit log's head cannot be written: %s", error)
            self._failing = True

    def close(self) -> None:
        """Finish what is queued. Blocks."""
        self._thread.shutdown()

    def _move(self) -> None:
        known = read_head(self._path)
        with self._engine.connect() as connection:
            query = select(audit.c.sequence, audit.c.hash).order_by(audit.c.sequence.desc()).limit(1)
            last = connection.execute(query).first()
            if known is not None and not _holds(connection, known):
                self._refuse(f"the log does not hold row {known.sequence} as {self._path} says")
                return
        if last is None:
            return
        if known is None or known.sequence < last.sequence:
            write_atomically(self._path, Head.at(last.sequence, last.hash, self._key).model_dump_json() + "\n")
        self._sequence = last.sequence

    def _refuse(self, reason: str) -> None:
        if not self._refused:
            _log.error("the audit log's head is not moved any more: %s. See: switchyard audit verify", reason)
        self._refused = True


def _holds(connection: Connection, head: Head) -> bool:
    """Whether the log has the head's row, or has pruned it by its own account."""
    row = connection.execute(select(audit.c.hash).where(audit.c.sequence == head.sequence)).scalar()
    if row is not None:
        return row == head.hash
    pruned = select(audit.c.details).where(audit.c.kind == "audit_pruned").order_by(audit.c.sequence.desc()).limit(1)
    details = connection.execute(pruned).scalar()
    return details is not None and head.sequence <= details["through_sequence"]
