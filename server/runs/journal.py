"""Writing the events of live runs down while they go on: those of all runs together, a few times a second."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence

from sqlalchemy.exc import SQLAlchemyError

from server.runs.events import EventLog, RunEvent

_log = logging.getLogger(__name__)

PACE_S = 0.02
_AFTER_FAILURE_S = 1.0

Append = Callable[[Sequence[RunEvent]], Awaitable[Collection[str]]]


class Journal:
    """Writes what logs announce. `append` writes events of any runs and tells which of the runs are not ours any more.

    The first event after a pause is written at once; while one transaction is under way and for `PACE_S` seconds after
    it, further ones gather for the next. So a reader waits for one commit, and a token costs a row, not a transaction.
    """

    def __init__(self, append: Append, on_lost: Callable[[str], None]) -> None:
        """Write through `append`; `on_lost` is told of each run that is another's."""
        self._append = append
        self._on_lost = on_lost
        self._waiting: dict[str, EventLog] = {}
        self._writing: asyncio.Task[None] | None = None

    def announce(self, log: EventLog) -> None:
        """Write what a log has that is not on disk."""
        self._waiting[log.run_id] = log
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all(), name="event journal")

    async def close(self) -> None:
        """Stop writing; a transaction that has begun ends."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.wait([self._writing])

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                logs, self._waiting = self._waiting, {}
                await asyncio.sleep(PACE_S if await self._write(logs.values()) else _AFTER_FAILURE_S)
        finally:
            self._writing = None

    async def _write(self, logs: Collection[EventLog]) -> bool:
        """Write once; what could not be written waits for the next time. Returns whether it was."""
        batch = [event for log in logs for event in log.unwritten]
        if not batch:
            return True
        reached = [(log, len(log.events)) for log in logs]
        try:
            lost = await self._append(batch)
        except SQLAlchemyError as error:
            _log.error("events cannot be written, which is tried again: %s", type(error).__name__)
            self._waiting = {log.run_id: log for log in logs} | self._waiting
            return False
        for log, count in reached:
            if log.run_id in lost:
                self._on_lost(log.run_id)
            else:
                log.confirm(count)
        return True
