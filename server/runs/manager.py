"""Runs the graph: a task of its own for each run, which no reader can slow down or cancel by leaving."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Literal

from graphs.switchyard import Switchyard
from server.checkpoints import Checkpoints
from server.runs.endings import SERVER_STOPPED
from server.runs.events import TERMINAL, EventLog, RunEvent
from server.runs.live import LiveRun, RunRequest, StopReason
from server.runs.rows import Outcome, RunStatus
from server.runs.store import RunStore
from server.runs.work import work
from server.traces import NO_TRACES, Traces
from tools.errors import SwitchyardError

_log = logging.getLogger(__name__)

_KEPT_ENDED_BYTES = 8 * 2**20

CancelAction = Literal["interrupt", "rollback"]
_REASONS: dict[CancelAction, StopReason] = {"interrupt": "cancelled", "rollback": "rolled_back"}
_STOPPED: dict[StopReason, str] = {
    "cancelled": "The run was cancelled.",
    "superseded": "The run was ended by a newer message.",
    "rolled_back": "The run was taken back.",
    "shutting_down": "The server is shutting down. Your message is kept; ask again in a moment.",
}


class ShuttingDownError(SwitchyardError):
    """The server is stopping and takes no further runs (HTTP 503)."""

    code = "shutting_down"


class QueueFullError(SwitchyardError):
    """As many runs wait as may wait (HTTP 503)."""

    code = "queue_full"


class RunStoppedError(SwitchyardError):
    """The run was ended before it had a result, by its owner or by a shutdown (HTTP 409)."""

    code = "cancelled"


class RunManager:
    """Starts, follows and cancels runs. Runs of one thread happen one after the other, in the order they came."""

    def __init__(
        self,
        graph: Switchyard,
        store: RunStore,
        checkpoints: Checkpoints,
        *,
        max_concurrent: int,
        max_waiting: int,
        traces: Traces = NO_TRACES,
    ) -> None:
        """Run `graph`, at most `max_concurrent` times at once, while at most `max_waiting` further runs wait."""
        self._graph = graph
        self._store = store
        self._checkpoints = checkpoints
        self._traces = traces
        self._most = max_concurrent + max_waiting
        self._slots = asyncio.Semaphore(max_concurrent)
        self._live: dict[str, LiveRun] = {}
        self._ended: dict[str, LiveRun] = {}
        self._ended_bytes = 0
        self._draining = False

    async def start(self, request: RunRequest) -> LiveRun:
        """Write the run down, then start it. When this returns, the message is on disk.

        Raises:
            NotFoundError: the thread belongs to somebody else.
            ThreadBusyError: the thread works and the request would not wait.
            QueueFullError: too many runs wait.
            ShuttingDownError: the server is stopping.
        """
        if self._draining:
            raise ShuttingDownError("The server is shutting down. Try again in a moment.")
        if len(self._live) >= self._most:
            raise QueueFullError("Too many messages wait for an answer. Try again in a moment.")
        run_id = str(uuid.uuid4())
        row = request.new_run(run_id, request.thread_id or str(uuid.uuid4()), uuid.uuid4().hex)
        run = LiveRun(row, request, EventLog(run_id))
        # Before it is written: once it is, the end of another run may call it.
        self._live[run_id] = run
        try:
            admission = await self._store.create(row)
        except BaseException:
            del self._live[run_id]
            raise
        run.log.append("run", {"run_id": run_id, "thread_id": row.thread_id})
        if admission.working:
            run.admitted.set()
        run.task = asyncio.create_task(self._work(run), name=f"run {run_id}")
        self._supersede(admission.unfinished, request)
        return run

    async def follow(self, owner: str, run_id: str, after: int = 0) -> AsyncGenerator[Sequence[RunEvent]]:
        """The events of a run after number `after`, live or stored, up to the terminal one, in batches as they come.

        Raises:
            NotFoundError: this owner has no such run.
        """
        live = self._find(run_id)
        if live is None or live.row.owner != owner:
            row = await self._store.get(owner, run_id)
            # What a killed process had sent on is not stored: its readers get the end wherever they stood.
            cursor = min(after, 1) if row.error_code == SERVER_STOPPED else after
            yield await self._store.events(run_id, cursor)
            return
        async for arrived in live.log.follow(after):
            yield arrived

    async def result(self, run: LiveRun) -> dict[str, Any]:
        """Wait for a run to end and return its result.

        Raises:
            SwitchyardError: what ended the run instead.
        """
        assert run.task is not None
        await asyncio.wait([run.task])
        if run.error is not None:
            raise run.error
        assert run.result is not None, "a run ends with a result or an error"
        return run.result

    async def ended(self, owner: str, run_id: str) -> None:
        """Wait until a run of this owner has ended; at once where none is live."""
        live = self._live.get(run_id)
        if live is not None and live.row.owner == owner and live.task is not None:
            await asyncio.wait([live.task])

    async def cancel(self, owner: str, run_id: str, *, action: CancelAction = "interrupt", wait: bool = True) -> bool:
        """Stop a run, and with `rollback` forget it; returns whether it was still going.

        Raises:
            NotFoundError: this owner has no such run.
        """
        live = self._live.get(run_id)
        if live is None or live.row.owner != owner:
            await self._store.get(owner, run_id)
            return False
        stopped = live.stop(_REASONS[action])
        if wait and live.task is not None:
            await asyncio.wait([live.task])
        return stopped

    def abandon(self, owner: str, run_id: str) -> None:
        """Stop a run whose only reader has left and wanted it to end then. Does not wait."""
        live = self._live.get(run_id)
        if live is not None and live.row.owner == owner:
            live.stop("cancelled")

    async def drain(self, grace_s: float) -> None:
        """Take no more runs, give the live ones `grace_s` seconds, then end them with an error their readers see."""
        self._draining = True
        tasks = [run.task for run in self._live.values() if run.task]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=grace_s)
        for run in list(self._live.values()):
            run.stop("shutting_down")
        if late:
            await asyncio.wait(late)

    async def thread_idle(self, thread_id: str) -> None:
        """Wait until no run of this process works on a thread."""
        tasks = [run.task for run in self._live.values() if run.row.thread_id == thread_id and run.task]
        if tasks:
            await asyncio.wait(tasks)

    def _find(self, run_id: str) -> LiveRun | None:
        return self._live.get(run_id) or self._ended.get(run_id)

    def _supersede(self, unfinished: Sequence[str], request: RunRequest) -> None:
        if request.strategy not in ("interrupt", "rollback"):
            return
        for run_id in unfinished:
            if (older := self._live.get(run_id)) is not None:
                older.stop("superseded" if request.strategy == "interrupt" else "rolled_back")

    async def _work(self, run: LiveRun) -> None:
        status: RunStatus = "error"
        try:
            run.begin()
            await run.admitted.wait()
            async with self._slots:
                with self._traces.run(run.row) as trace:
                    await work(self._graph, run, trace)
            status = "success"
        except asyncio.CancelledError:
            reason = run.stop_reason or "shutting_down"
            status = "error" if reason == "shutting_down" else "cancelled"
            run.fail(RunStoppedError(_STOPPED[reason], code="shutting_down" if status == "error" else "cancelled"))
        except SwitchyardError as error:
            run.fail(error)
        except Exception:  # noqa: BLE001 - the edge of the run's task: nobody above could report it
            _log.exception("trace %s: run %s failed", run.row.trace_id, run.run_id)
            run.fail(SwitchyardError("Something went wrong on our side. Your message is kept; try again."))
        await self._close(run, status)

    async def _close(self, run: LiveRun, status: RunStatus) -> None:
        run.closing = True
        try:
            following = await self._write_end(run, status)
            if following is not None and (waiting := self._live.get(following)) is not None:
                waiting.admitted.set()
        finally:
            # Who reads the end may rely on it: by then the run is on disk.
            run.log.append(TERMINAL, {})
            self._live.pop(run.run_id, None)
            self._keep(run)

    async def _write_end(self, run: LiveRun, status: RunStatus) -> str | None:
        if run.stop_reason == "rolled_back":
            await self._checkpoints.delete_run(run.row.thread_id, run.run_id)
            return await self._store.take_back(run.row)
        if run.stop_reason is not None and run.request.call is not None:
            await self._checkpoints.delete_idle_run(run.row.thread_id, run.run_id)
        code = run.error.code if run.error else None
        outcome = Outcome(status, run.result, code, run.ttft_ms, run.total_ms, paused=run.paused)
        end = RunEvent(run.run_id, len(run.log.events) + 1, TERMINAL, "{}")
        following = await self._store.finish(run.row, [*run.log.events, end], outcome)
        if run.row.temporary:
            await self._checkpoints.adelete_thread(run.row.thread_id)
        return following

    def _keep(self, run: LiveRun) -> None:
        """Remember an ended run for readers who come just after, up to a bound of bytes; the rest is on disk."""
        self._ended[run.run_id] = run
        self._ended_bytes += run.log.size
        while self._ended_bytes > _KEPT_ENDED_BYTES and len(self._ended) > 1:
            oldest = self._ended.pop(next(iter(self._ended)))
            self._ended_bytes -= oldest.log.size
