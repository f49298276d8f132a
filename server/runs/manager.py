"""Runs the graph: a task of its own for each run, which no reader can slow down or cancel by leaving."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Literal

from sqlalchemy.exc import SQLAlchemyError

from agent.models.meter import metered
from graphs.switchyard import Switchyard
from server.checkpoints import Checkpoints
from server.runs.events import TERMINAL, EventLog, RunEvent, first_event
from server.runs.journal import Journal
from server.runs.leases import HEARTBEAT_S, MAX_ATTEMPTS, ClaimedRun, LeaseLostError
from server.runs.live import LiveRun, RunRequest, StartedRun, StopReason
from server.runs.plans import CallMaker, new_run, planned_request
from server.runs.registry import LiveRuns
from server.runs.rows import UNFINISHED, NewRun, Outcome, RunStatus
from server.runs.stops import stopped, unfinished_after
from server.runs.store import RunStore
from server.runs.work import work
from server.traces import NO_TRACES, Traces
from tools.errors import SwitchyardError

_log = logging.getLogger(__name__)

_LOOKS_S = 0.25
_LAST = 10**12
_WRITE_AGAIN_S = 1.0

CancelAction = Literal["interrupt", "rollback"]
_REASONS: dict[CancelAction, StopReason] = {"interrupt": "cancelled", "rollback": "rolled_back"}


class ShuttingDownError(SwitchyardError):
    """The server is stopping and takes no further runs (HTTP 503)."""

    code = "shutting_down"


class QueueFullError(SwitchyardError):
    """As many runs wait as may wait (HTTP 503)."""

    code = "queue_full"


class RunManager:
    """Starts, follows and cancels runs. Runs of one thread happen one after the other, in the order they came.

    A run belongs to the process that has its lease. `keep` renews the leases and takes over runs that nobody keeps.
    """

    def __init__(
        self,
        graph: Switchyard,
        store: RunStore,
        checkpoints: Checkpoints,
        make_call: CallMaker,
        *,
        max_concurrent: int,
        max_waiting: int,
        traces: Traces = NO_TRACES,
    ) -> None:
        """Run `graph`, at most `max_concurrent` times at once, while at most `max_waiting` further runs wait."""
        self._graph = graph
        self._store = store
        self._checkpoints = checkpoints
        self._make_call = make_call
        self._traces = traces
        self._most = max_concurrent + max_waiting
        self._slots = asyncio.Semaphore(max_concurrent)
        self._runs = LiveRuns()
        self._journal = Journal(store.append, self._lose)
        self._draining = False

    async def start(self, request: RunRequest) -> StartedRun:
        """Write the run down, then start it. When this returns, the message is on disk.

        A request whose key is known starts nothing: it gets the run that the first one started.

        Raises:
            NotFoundError: the thread belongs to somebody else.
            ThreadBusyError: the thread works and the request would not wait.
            KeyReusedError: the key was given to another request.
            QueueFullError: too many runs wait.
            ShuttingDownError: the server is stopping.
        """
        if self._draining:
            raise ShuttingDownError("The server is shutting down. Try again in a moment.")
        if len(self._runs) >= self._most:
            raise QueueFullError("Too many messages wait for an answer. Try again in a moment.")
        row = new_run(request, str(uuid.uuid4()), request.thread_id or str(uuid.uuid4()), uuid.uuid4().hex)
        log = EventLog(row.run_id, [first_event(row.run_id, row.thread_id)], 1, self._journal.announce)
        # Whoever waits here may be cancelled; a run that is written down must then work all the same, or its thread
        # would be taken by a run that nobody works on.
        return await asyncio.shield(asyncio.ensure_future(self._begin(LiveRun(row, request, log))))

    async def follow(self, owner: str, run_id: str, after: int = 0) -> AsyncGenerator[Sequence[RunEvent]]:
        """The events of a run after number `after`, live or stored, up to the terminal one, in batches as they come.

        Raises:
            NotFoundError: this owner has no such run.
        """
        while True:
            if (run := self._runs.of(owner, run_id)) is not None:
                async for arrived in run.log.follow(after):
                    after = arrived[-1].seq
                    yield arrived
                if not run.log.given_up:
                    return
            # Asked before the events are read: of a run that has ended they are all there.
            row = await self._store.get(owner, run_id)
            if arrived := await self._store.events(run_id, after):
                after = arrived[-1].seq
                yield arrived
            if row.status not in UNFINISHED:
                return
            # Another process works on it, or nobody yet.
            await asyncio.sleep(_LOOKS_S)

    async def result(self, owner: str, run_id: str) -> dict[str, Any]:
        """Wait for a run to end and return its result.

        Raises:
            NotFoundError: this owner has no such run.
            SwitchyardError: what ended the run instead.
        """
        await self.ended(owner, run_id)
        run = self._runs.of(owner, run_id)
        if run is None:
            return await self._store.result(owner, run_id)
        if run.error is not None:
            raise run.error
        assert run.result is not None, "a run ends with a result or an error"
        return run.result

    async def ended(self, owner: str, run_id: str) -> None:
        """Wait until a run has ended.

        Raises:
            NotFoundError: this owner has no such run.
        """
        async for _ in self.follow(owner, run_id, after=_LAST):
            pass

    def find(self, owner: str, run_id: str) -> LiveRun | None:
        """A run of this process that goes on or has ended a moment ago."""
        return self._runs.of(owner, run_id)

    async def cancel(self, owner: str, run_id: str, *, action: CancelAction = "interrupt", wait: bool = True) -> bool:
        """Stop a run, and with `rollback` forget it; returns whether it was still going.

        Raises:
            NotFoundError: this owner has no such run.
        """
        live = self._runs.live(run_id)
        if live is None or live.row.owner != owner:
            await self._store.get(owner, run_id)
            return False
        done = live.stop(_REASONS[action])
        if wait and live.task is not None:
            await asyncio.wait([live.task])
        return done

    def abandon(self, owner: str, run_id: str) -> None:
        """Stop a run whose only reader has left and wanted it to end then. Does not wait."""
        live = self._runs.live(run_id)
        if live is not None and live.row.owner == owner:
            live.stop("cancelled")

    async def drain(self, grace_s: float) -> None:
        """Take no more runs, give the live ones `grace_s` seconds, then end them with an error their readers see."""
        self._draining = True
        with suppress(TimeoutError):
            await asyncio.wait_for(self._runs.quiet(), grace_s)
        for run in self._runs.all:
            run.stop("shutting_down")
        await self._runs.quiet()
        await self._journal.close()

    async def thread_idle(self, thread_id: str) -> None:
        """Wait until no run of this process works on a thread."""
        tasks = [run.task for run in self._runs.all if run.row.thread_id == thread_id and run.task]
        if tasks:
            await asyncio.wait(tasks)

    async def keep(self) -> None:
        """Keep the leases of this process's runs, and take over runs that nobody keeps, until cancelled."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            try:
                await self.keep_once()
            except Exception:  # noqa: BLE001 - the edge of the keeper's task, without which no run is taken over
                _log.exception("the leases cannot be renewed, which is tried again")

    async def keep_once(self) -> None:
        """One heartbeat of `keep`."""
        # A run without a task is being written down at this moment.
        asked = [run for run in self._runs.all if run.task is not None]
        kept = await self._store.renew([run.run_id for run in asked])
        for run in asked:
            if kept.get(run.run_id) == "running":
                # Another process may have ended the run before it.
                run.admitted.set()
            elif run.run_id not in kept:
                self._lose(run.run_id)
        if not self._draining:
            await self.recover(everything=False)

    async def recover(self, *, everything: bool, own: bool = False) -> int:
        """Take over unfinished runs whose lease has run out; `everything`, if no other process can be alive.

        `own` takes those over, too, that an earlier process of this one's name has left. All go on from their last
        checkpoint; those that were cut off too often end with an error. Returns how many.
        """
        ours = [run.run_id for run in self._runs.all]
        claimed = await self._store.claim(everything=everything, own=own, ours=ours)
        logs = [await self._read_log(found.row) for found in claimed]
        # All at once: the end of one lets the next one of its thread work.
        for found, log in zip(claimed, logs, strict=True):
            self._take_over(found, log)
        if claimed:
            _log.warning("%d unfinished runs were taken over", len(claimed))
        return len(claimed)

    async def _read_log(self, row: NewRun) -> EventLog:
        told = list(await self._store.events(row.run_id, 0))
        return EventLog(row.run_id, told or [first_event(row.run_id, row.thread_id)], len(told), self._journal.announce)

    def _take_over(self, found: ClaimedRun, log: EventLog) -> None:
        row = found.row
        request = planned_request(row, self._make_call) if found.attempt <= MAX_ATTEMPTS else None
        run = LiveRun(row, request or RunRequest(row.owner, row.message), log, found.attempt)
        self._runs.add(run)
        if request is None:
            run.fail(unfinished_after(found.attempt - 1))
            run.closing = True
            run.task = asyncio.create_task(self._close(run, "error"), name=f"run {run.run_id}")
            return
        if found.status == "running":
            log.append("restart", {"attempt": found.attempt})
            run.admitted.set()
        run.task = asyncio.create_task(self._work(run), name=f"run {run.run_id}")

    async def _begin(self, run: LiveRun) -> StartedRun:
        with ExitStack() as on_failure:
            # Before it is written: once it is, the end of another run may call it.
            self._runs.add(run)
            on_failure.callback(self._runs.forget, run)
            admission = await self._store.create(run.row)
            if admission.earlier is not None:
                return StartedRun(*admission.earlier)
            on_failure.pop_all()
        if admission.working:
            run.admitted.set()
        run.task = asyncio.create_task(self._work(run), name=f"run {run.run_id}")
        self._supersede(admission.unfinished, run.request)
        if self._draining:
            run.stop("shutting_down")
        return StartedRun(run.run_id, run.row.thread_id)

    def _supersede(self, unfinished: Sequence[str], request: RunRequest) -> None:
        if request.strategy not in ("interrupt", "rollback"):
            return
        for run_id in unfinished:
            if (older := self._runs.live(run_id)) is not None:
                older.stop("superseded" if request.strategy == "interrupt" else "rolled_back")

    def _lose(self, run_id: str) -> None:
        """Leave a run alone that another process works on, or that is no more."""
        run = self._runs.live(run_id)
        if run is not None:
            run.stop("lease_lost")

    async def _work(self, run: LiveRun) -> None:
        status: RunStatus = "error"
        try:
            run.begin()
            await self._turn_of(run)
            async with self._slots:
                review = await self._store.decided_review(run.row)
                with self._traces.run(run.row) as trace, metered(run.meter):
                    await work(self._graph, run, trace, review)
            status = "success"
        except asyncio.CancelledError:
            status, error = stopped(run.stop_reason or "shutting_down")
            run.fail(error)
        except SwitchyardError as error:
            run.fail(error)
        except Exception:  # noqa: BLE001 - the edge of the run's task: nobody above could report it
            _log.exception("trace %s: run %s failed", run.row.trace_id, run.run_id)
            run.fail(SwitchyardError("Something went wrong on our side. Your message is kept; try again."))
        await self._close(run, status)

    async def _turn_of(self, run: LiveRun) -> None:
        """Wait until the run's thread is free."""
        while self._store.shared and not run.admitted.is_set():
            # The run before it may end in another process, which cannot say so here.
            with suppress(TimeoutError):
                await asyncio.wait_for(run.admitted.wait(), _LOOKS_S)
            with suppress(SQLAlchemyError):
                if (await self._store.get(run.row.owner, run.run_id)).status == "running":
                    run.admitted.set()
        await run.admitted.wait()

    async def _close(self, run: LiveRun, status: RunStatus) -> None:
        run.closing = True
        last = run.log.following([*run.last_words, (TERMINAL, "{}")])
        try:
            following = await self._end(run, status, last)
        except LeaseLostError:
            self._give_up(run)
            await self._pay(run)
        except Exception:  # noqa: BLE001 - as in `_work`; once its lease has run out, the run is taken over
            _log.exception("trace %s: the end of run %s cannot be written", run.row.trace_id, run.run_id)
            self._give_up(run)
        else:
            # Who reads the end may rely on it: by then the run is on disk.
            run.log.close(last)
            self._runs.end(run)
            if following is not None and (waiting := self._runs.live(following)) is not None:
                waiting.admitted.set()

    async def _pay(self, run: LiveRun) -> None:
        """Count what a run cost whose end is not ours to write: it was deleted, or another process has it."""
        try:
            await self._store.pay(run.row, run.meter.usage)
        except SQLAlchemyError as error:
            _log.error("run %s: what it cost cannot be written: %s", run.run_id, error)

    def _give_up(self, run: LiveRun) -> None:
        self._runs.forget(run)
        run.log.give_up()

    async def _end(self, run: LiveRun, status: RunStatus, last: Sequence[RunEvent]) -> str | None:
        """Write how the run ended, again and again while the disk does not let us and nobody else takes the run."""
        if run.stop_reason == "lease_lost":
            raise LeaseLostError(f"The run {run.run_id!r} is another process's.", run_id=run.run_id)
        while True:
            try:
                return await self._write_end(run, status, last)
            except (SQLAlchemyError, *self._checkpoints.errors) as error:
                if self._draining:
                    raise
                _log.error("run %s: its end cannot be written, which is tried again: %s", run.run_id, error)
                await asyncio.sleep(_WRITE_AGAIN_S)

    async def _write_end(self, run: LiveRun, status: RunStatus, last: Sequence[RunEvent]) -> str | None:
        if run.stop_reason == "rolled_back":
            await self._checkpoints.delete_run(run.row.thread_id, run.run_id)
            return await self._store.take_back(run.row, run.meter.usage)
        if run.stop_reason is not None and run.request.call is not None:
            await self._checkpoints.delete_idle_run(run.row.thread_id, run.run_id)
        elif run.stop_reason is not None:
            # LangGraph writes the one checkpoint of such a run when it is cut off, too: half a turn.
            await self._checkpoints.delete_run(run.row.thread_id, run.run_id)
        code = run.error.code if run.error else None
        spent = run.meter.usage
        outcome = Outcome(status, run.result, code, run.ttft_ms, run.total_ms, paused=run.paused, spent=spent)
        return await self._store.finish(run.row, [*run.log.unwritten, *last], outcome)
