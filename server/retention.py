"""How long things are kept that nobody needs forever, and the task that lets them go."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agent.settings import Settings
from server.checkpoints import Checkpoints
from server.db.engine import Database
from server.runs.pruning import PrunableRows

_log = logging.getLogger(__name__)

_BATCH = 200
_EVERY_S = 3600.0
_DAY_S = 86_400.0


@dataclass(frozen=True)
class Pruned:
    """How much was let go."""

    runs_without_events: int = 0
    temporary_threads: int = 0
    checkpoints: int = 0
    request_keys: int = 0

    def __bool__(self) -> bool:
        return self != Pruned()


class Retention:
    """Prunes the app database and the checkpoints, in batches between which everybody else gets their turn.

    Runs with their results, feedback, the query log and each thread's latest checkpoint are never pruned.
    """

    def __init__(self, settings: Settings, database: Database, checkpoints: Checkpoints) -> None:
        """Keep things as long as `settings` says; zero days are forever."""
        self._settings = settings
        self._rows = PrunableRows(database)
        self._checkpoints = checkpoints

    async def prune_forever(self) -> None:
        """Prune at once and then once an hour, until cancelled."""
        while True:
            try:
                if pruned := await self.prune():
                    _log.info("pruned: %s", pruned)
            except Exception:  # noqa: BLE001 - the edge of this task, which goes on
                _log.exception("pruning failed, which is tried again in an hour")
            await asyncio.sleep(_EVERY_S)

    async def prune(self, now: float | None = None) -> Pruned:
        """Let go of everything that is old enough at `now` (seconds since 1970)."""
        now = time.time() if now is None else now
        settings = self._settings
        return Pruned(
            await self._all(now, settings.keep_events_days, lambda before: self._rows.prune_events(before, _BATCH)),
            await self._all(now, settings.keep_temporary_runs_days, self._prune_threads),
            await self._all(now, settings.keep_checkpoints_days, self._prune_checkpoints),
            await self._all(
                now, settings.keep_request_keys_days, lambda before: self._rows.prune_request_keys(before, _BATCH)
            ),
        )

    async def _all(self, now: float, days: float, prune: Callable[[float], Awaitable[int]]) -> int:
        """Prune batch after batch; returns how much."""
        total = 0
        while days and (count := await prune(now - days * _DAY_S)):
            total += count
        return total

    async def _prune_threads(self, before: float) -> int:
        thread_ids = await self._rows.temporary_threads(before, _BATCH)
        for thread_id in thread_ids:
            # First: a kill in between leaves a row that is found the next time.
            await self._checkpoints.adelete_thread(thread_id)
        if thread_ids:
            await self._rows.delete_threads(thread_ids)
        return len(thread_ids)

    async def _prune_checkpoints(self, before: float) -> int:
        return await self._checkpoints.forget_before(before, await self._rows.busy_threads(), _BATCH)
