"""Takes decisions, carries them to their threads as runs, and sees to what has been left lying."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from agent.review import ReviewAnswer
from agent.state import TurnContext
from server.reviews.rows import ReviewRow
from server.reviews.store import ReviewStore
from server.runs.live import RunRequest, StartedRun
from server.runs.manager import QueueFullError, RunManager, ShuttingDownError
from tools.errors import NotFoundError

_log = logging.getLogger(__name__)

_TICK_S = 30.0
_MAX_ATTEMPTS = 5
_HOUR_S = 3600.0


class ReviewDesk:
    """A decision is written down first; the run that carries it to its thread can be started again until it has."""

    def __init__(self, store: ReviewStore, runs: RunManager, *, overdue_hours: float) -> None:
        """Escalate what nobody has decided `overdue_hours` after it was asked."""
        self.store = store
        self.overdue_s = overdue_hours * _HOUR_S
        self._runs = runs
        self._attempts: Counter[str] = Counter()

    async def decide(self, owner: str, run_id: str, answer: ReviewAnswer) -> StartedRun | None:
        """Write a decision down and start to carry it to its thread; None where that has to wait.

        Raises:
            NotFoundError: this owner has no such review.
            ReviewConflictError: it was decided before.
            InputError: the label contradicts the decision.
        """
        return await self._carry(await self.store.decide(owner, run_id, answer))

    async def tend(self, now: float, *, grace_s: float) -> None:
        """Escalate what is overdue at `now`, and carry the decisions that were left lying for `grace_s` seconds."""
        for row in await self.store.escalate_overdue(now - self.overdue_s, now):
            _log.warning("the review of run %s is overdue: escalated", row.run_id)
        for row in await self.store.unanswered(now - grace_s):
            if self._attempts[row.run_id] < _MAX_ATTEMPTS and await self._carry(row) is not None:
                # A server that was too busy to carry it does not count.
                self._attempts[row.run_id] += 1

    @asynccontextmanager
    async def kept(self, *, alone: bool = True) -> AsyncGenerator[None]:
        """Tends now, which heals what an earlier process left behind, and from time to time until the block ends.

        Where this process is not `alone`, another one may be about to carry what it finds.
        """
        await self.tend(time.time(), grace_s=0 if alone else _TICK_S)
        keeper = asyncio.create_task(self._keep(), name="reviews")
        try:
            yield
        finally:
            keeper.cancel()
            await asyncio.wait([keeper])

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            try:
                # Whoever has just decided is about to carry it himself.
                await self.tend(time.time(), grace_s=_TICK_S)
            except Exception:  # noqa: BLE001 - the edge of the keeper's task, which goes on
                _log.exception("reviews could not be tended, which is tried again")

    async def _carry(self, row: ReviewRow) -> StartedRun | None:
        request = RunRequest(
            owner=row.owner,
            message=spoken(row),
            thread_id=row.thread_id,
            context=TurnContext(owner=row.owner),
            review_of=row.run_id,
        )
        try:
            return await self._runs.start(request)
        except (QueueFullError, ShuttingDownError, NotFoundError) as error:
            _log.warning("the decision on run %s is kept, and carried to its thread later: %s", row.run_id, error.code)
            return None


def spoken(row: ReviewRow) -> str:
    """A decision in words, as its thread shows it."""
    verdict = f"{row.label} confirmed" if row.decision == "approve" else f"{row.label} instead of the model's label"
    return f"Review: {verdict}" + (f". {row.comment}" if row.comment else "")
