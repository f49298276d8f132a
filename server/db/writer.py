"""The one thread that writes to the app database, committing in groups what waits for it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from server.db.dialects import is_worth_a_retry

_Result = TypeVar("_Result")

_ATTEMPTS = 5


@dataclass(frozen=True)
class _Write:
    """Work that waits for the writer, and where its outcome goes."""

    work: Callable[[Connection], Any]
    outcome: asyncio.Future[Any]

    def succeed(self, result: object) -> None:
        self._tell(lambda: self.outcome.set_result(result))

    def fail(self, error: Exception) -> None:
        self._tell(lambda: self.outcome.set_exception(error))

    def _tell(self, settle: Callable[[], None]) -> None:
        self.outcome.get_loop().call_soon_threadsafe(lambda: None if self.outcome.cancelled() else settle())


class GroupWriter:
    """Runs write transactions one after the other.

    A commit waits for the disk. Transactions that have queued up meanwhile are committed together, so that they wait
    once for all of them; if one of them fails, each is run again on its own, and only that one fails.
    """

    def __init__(self, engine: Engine, committed: Callable[[], None] = lambda: None) -> None:
        """Write through `engine`; `committed` is called after each commit, on the writing thread."""
        self._engine = engine
        self._committed = committed
        self._waiting: deque[_Write] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="db-writer")

    async def write(self, work: Callable[[Connection], _Result]) -> _Result:
        """Run `work` in a transaction; durable on return, rolled back on an error.

        `work` does nothing beside its statements: it may be run again after a rollback.
        """
        write = _Write(work, asyncio.get_running_loop().create_future())
        self._waiting.append(write)
        self._thread.submit(self._commit_waiting)
        return await write.outcome

    def close(self) -> None:
        """Finish what is queued. Blocks."""
        self._thread.shutdown()

    def _commit_waiting(self) -> None:
        # The first of several submissions takes the work of all; the others find nothing left.
        together = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if together and not self._commit(together):
            for alone in together:
                self._commit_alone(alone)

    def _commit_alone(self, write: _Write) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            if self._commit([write], last=attempt == _ATTEMPTS):
                return

    def _commit(self, writes: Sequence[_Write], *, last: bool = False) -> bool:
        """Run writes as one transaction and tell their outcomes; returns whether that is done.

        An error of several is nobody's yet, and one that a retry may mend only if this is the `last` attempt.
        """
        try:
            with self._engine.begin() as connection:
                results = [write.work(connection) for write in writes]
        except Exception as error:  # noqa: BLE001 - goes to whoever asked for the write
            if len(writes) > 1 or (is_worth_a_retry(error) and not last):
                return False
            writes[0].fail(error)
            return True
        self._committed()
        for write, result in zip(writes, results, strict=True):
            write.succeed(result)
        return True
