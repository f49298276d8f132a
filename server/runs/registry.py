"""The runs of this process: those that go on, and those that ended a moment ago."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from server.runs.live import LiveRun

_KEPT_ENDED_BYTES = 8 * 2**20
_KEPT_ENDED = 256


class LiveRuns:
    """Finds runs by id. Ended ones are kept for readers who come just after, up to a bound; the rest is on disk."""

    def __init__(self) -> None:
        self._live: dict[str, LiveRun] = {}
        self._ended: dict[str, LiveRun] = {}
        self._ended_bytes = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    def __len__(self) -> int:
        return len(self._live)

    @property
    def all(self) -> Sequence[LiveRun]:
        """The runs that go on."""
        return list(self._live.values())

    def add(self, run: LiveRun) -> None:
        """A run goes on from now."""
        self._live[run.run_id] = run
        self._quiet.clear()

    def forget(self, run: LiveRun) -> None:
        """A run is not this process's any more."""
        self._live.pop(run.run_id, None)
        if not self._live:
            self._quiet.set()

    def end(self, run: LiveRun) -> None:
        """A run has ended."""
        self.forget(run)
        # A conversation that came with the request may be larger than all events.
        run.request = replace(run.request, history=())
        self._ended[run.run_id] = run
        self._ended_bytes += run.log.size
        while len(self._ended) > _KEPT_ENDED or (self._ended_bytes > _KEPT_ENDED_BYTES and len(self._ended) > 1):
            oldest = self._ended.pop(next(iter(self._ended)))
            self._ended_bytes -= oldest.log.size

    def live(self, run_id: str) -> LiveRun | None:
        """A run that goes on."""
        return self._live.get(run_id)

    def of(self, owner: str, run_id: str) -> LiveRun | None:
        """A run of this owner that goes on or ended a moment ago."""
        run = self._live.get(run_id) or self._ended.get(run_id)
        return run if run is not None and run.row.owner == owner else None

    async def quiet(self) -> None:
        """Wait until no run goes on."""
        await self._quiet.wait()
