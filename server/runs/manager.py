"""Runs the graph: a task of its own for each run, which no reader can slow down or cancel by leaving."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

from langchain_core.runnables import RunnableConfig

from agent.nodes.events import NodeEvent
from agent.state import GraphInput, TurnContext
from graphs.switchyard import Switchyard
from server.runs.events import TERMINAL, EventLog, RunEvent
from server.runs.store import SERVER_STOPPED, NewRun, Outcome, RunStatus, RunStore
from server.traces import NO_TRACES, RunTrace, Traces
from tools.errors import SwitchyardError

_log = logging.getLogger(__name__)

_KEPT_ENDED_RUNS = 256


class ShuttingDownError(SwitchyardError):
    """The server is stopping and takes no further runs (HTTP 503)."""

    code = "shutting_down"


class RunStoppedError(SwitchyardError):
    """The run was ended before it had a result, by its owner or by a shutdown (HTTP 409)."""

    code = "cancelled"


@dataclass(frozen=True)
class RunRequest:
    """What a caller wants run. `history` seeds a new thread with earlier turns as (role, text)."""

    owner: str
    message: str
    thread_id: str | None = None
    context: TurnContext = field(default_factory=TurnContext)
    history: tuple[tuple[str, str], ...] = ()


@dataclass
class LiveRun:
    """A run of this process."""

    row: NewRun
    request: RunRequest
    log: EventLog
    started: float = field(default_factory=time.perf_counter)
    first_token: float | None = None
    result: dict[str, Any] | None = None
    error: SwitchyardError | None = None
    task: asyncio.Task[None] | None = None
    stop_reason: str | None = None
    closing: bool = False

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.row.run_id


class RunManager:
    """Starts, follows and cancels runs. Runs of one thread happen one after the other, in the order they came."""

    def __init__(self, graph: Switchyard, store: RunStore, *, max_concurrent: int, traces: Traces = NO_TRACES) -> None:
        """Run `graph`, at most `max_concurrent` times at once."""
        self._graph = graph
        self._store = store
        self._traces = traces
        self._slots = asyncio.Semaphore(max_concurrent)
        self._thread_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._live: dict[str, LiveRun] = {}
        self._ended: dict[str, LiveRun] = {}
        self._draining = False

    async def start(self, request: RunRequest) -> LiveRun:
        """Write the run down, then start it. When this returns, the message is on disk.

        Raises:
            NotFoundError: the thread belongs to somebody else.
            ShuttingDownError: the server is stopping.
        """
        if self._draining:
            raise ShuttingDownError("The server is shutting down. Try again in a moment.")
        run_id = str(uuid.uuid4())
        row = NewRun(
            run_id=run_id,
            thread_id=request.thread_id or str(uuid.uuid4()),
            owner=request.owner,
            message=request.message,
            input={"document_ids": list(request.context.document_ids), "collection": request.context.collection},
            trace_id=uuid.uuid4().hex,
        )
        run = LiveRun(row, request, EventLog(run_id))
        await self._store.create(row)
        run.log.append("run", {"run_id": run_id, "thread_id": row.thread_id})
        self._live[run_id] = run
        run.task = asyncio.create_task(self._work(run), name=f"run {run_id}")
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

    async def cancel(self, owner: str, run_id: str) -> bool:
        """Stop a run; returns whether it was still going.

        Raises:
            NotFoundError: this owner has no such run.
        """
        live = self._live.get(run_id)
        if live is None or live.row.owner != owner:
            await self._store.get(owner, run_id)
            return False
        stopped = _stop(live, "cancelled")
        assert live.task is not None
        await asyncio.wait([live.task])
        return stopped

    async def drain(self, grace_s: float) -> None:
        """Take no more runs, give the live ones `grace_s` seconds, then end them with an error their readers see."""
        self._draining = True
        tasks = [run.task for run in self._live.values() if run.task]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=grace_s)
        for run in list(self._live.values()):
            _stop(run, "shutting_down")
        if late:
            await asyncio.wait(late)

    def _find(self, run_id: str) -> LiveRun | None:
        return self._live.get(run_id) or self._ended.get(run_id)

    async def _work(self, run: LiveRun) -> None:
        status: RunStatus = "error"
        try:
            lock = self._thread_locks.setdefault(run.row.thread_id, asyncio.Lock())
            async with lock, self._slots:
                with self._traces.run(run.row) as trace:
                    await self._stream(run, trace)
            status = "success"
        except asyncio.CancelledError:
            reason = run.stop_reason or "shutting_down"
            status = "cancelled" if reason == "cancelled" else "error"
            self._fail(run, RunStoppedError(_STOPPED[reason], code=reason))
        except SwitchyardError as error:
            self._fail(run, error)
        except Exception:  # noqa: BLE001 - the edge of the run's task: nobody above could report it
            _log.exception("trace %s: run %s failed", run.row.trace_id, run.run_id)
            self._fail(run, SwitchyardError("Something went wrong on our side. Your message is kept; try again."))
        await self._close(run, status)

    async def _stream(self, run: LiveRun, trace: RunTrace) -> None:
        config = RunnableConfig(
            configurable={"thread_id": run.row.thread_id},
            run_name="switchyard",
            metadata={"run_id": run.run_id, "thread_id": run.row.thread_id},
        )
        history = await self._history(run, config)
        messages = GraphInput(messages=[*history, ("user", run.request.message)])  # pyright: ignore[reportArgumentType]
        # One checkpoint a run, at its end: the run's row is already on disk, and a run that is cut off leaves its
        # thread as it was instead of half a turn further on.
        stream = self._graph.astream(
            messages, config, context=run.request.context, stream_mode="custom", durability="exit"
        )
        async for item in stream:
            self._record(run, NodeEvent(**item))
        # Only now is the turn part of the thread's memory: a run that is stopped before has no result.
        assert run.result is not None, "every branch of the graph ends with a result"
        run.result = self._complete(run, run.result)
        run.log.append("result", run.result)
        trace.finish(run.result)

    async def _history(self, run: LiveRun, config: RunnableConfig) -> tuple[tuple[str, str], ...]:
        """The earlier turns that the caller sent, unless the thread remembers its own."""
        if not run.request.history:
            return ()
        known = (await self._graph.aget_state(config)).values
        return () if known else run.request.history

    def _record(self, run: LiveRun, item: NodeEvent) -> None:
        name, data = item["event"], item["data"]
        if name == "token" and run.first_token is None:
            run.first_token = time.perf_counter()
        if name == "result":
            run.result = data
        else:
            run.log.append(name, data)

    def _complete(self, run: LiveRun, result: dict[str, Any]) -> dict[str, Any]:
        ids = {"run_id": run.run_id, "thread_id": run.row.thread_id, "trace_id": run.row.trace_id}
        return {**ids, **result, "timings": {"ttft_ms": _ms(run, run.first_token), "total_ms": _ms(run)}}

    def _fail(self, run: LiveRun, error: SwitchyardError) -> None:
        run.error, run.result = error, None
        run.log.append("error", {"code": error.code, "message": error.message, "trace_id": run.row.trace_id})

    async def _close(self, run: LiveRun, status: RunStatus) -> None:
        code = run.error.code if run.error else None
        outcome = Outcome(status, run.result, code, _ms(run, run.first_token), _ms(run) or 0.0)
        run.closing = True
        end = RunEvent(run.run_id, len(run.log.events) + 1, TERMINAL, "{}")
        try:
            await self._store.finish(run.row, [*run.log.events, end], outcome)
        finally:
            # Who reads the end may rely on it: by then the run is on disk.
            run.log.append(TERMINAL, {})
            self._live.pop(run.run_id, None)
            self._ended[run.run_id] = run
            if len(self._ended) > _KEPT_ENDED_RUNS:
                self._ended.pop(next(iter(self._ended)))

    async def thread_idle(self, thread_id: str) -> None:
        """Wait until no run of this process works on a thread."""
        tasks = [run.task for run in self._live.values() if run.row.thread_id == thread_id and run.task]
        if tasks:
            await asyncio.wait(tasks)


_STOPPED = {
    "cancelled": "The run was cancelled.",
    "shutting_down": "The server is shutting down. Your message is kept; ask again in a moment.",
}


def _stop(run: LiveRun, reason: str) -> bool:
    """Cancel a run's work, once, and never while its end is being written; returns whether this call did it."""
    if run.stop_reason is not None or run.closing or run.task is None:
        return False
    run.stop_reason = reason
    run.task.cancel()
    return True


def _ms(run: LiveRun, moment: float | None = -1.0) -> float | None:
    if moment is None:
        return None
    end = time.perf_counter() if moment < 0 else moment
    return round((end - run.started) * 1000, 1)
