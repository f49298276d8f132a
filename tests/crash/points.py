"""`switchyard` in which a signal strikes at a chosen point; the server's own code knows nothing of it.

Started as `python -m tests.crash.points serve`. A thread waits for a plan in the file that `CRASH_PLAN` names, takes it
in and removes the file: from then on the plan's point counts.
"""

from __future__ import annotations

import inspect
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import wraps
from importlib import import_module
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Literal

PLAN_VARIABLE = "CRASH_PLAN"
# Where the settings name PostgreSQL, its saver is struck instead.
_IN_POSTGRES = {"server.checkpoints:SqliteCheckpoints": "server.postgres.checkpoints:PostgresCheckpoints"}
_LOOKS_S = 0.005

Signal = Literal["SIGKILL", "SIGTERM", "SIGSTOP"]
When = Literal["before", "after"]


@dataclass(frozen=True)
class Point:
    """A place in the server: before or after a function. `says` is for the results page."""

    target: str
    attribute: str
    when: When
    says: str


# The functions of `server.runs.store` that end in `inside` run within their transaction, before it is committed.
POINTS: dict[str, Point] = {
    "run.before": Point("server.runs.store:RunStore", "create", "before", "before the run is written down"),
    "run.inside": Point("server.runs.store", "admit", "after", "while the run is written down"),
    "run.after": Point("server.runs.store:RunStore", "create", "after", "the run is on disk, its client not told"),
    "work.before": Point("server.runs.manager", "work", "before", "before the graph begins"),
    "event": Point("server.runs.events:EventLog", "append_json", "after", "an event is made, not on disk"),
    "events.before": Point("server.runs.store:RunStore", "append", "before", "before events are written"),
    "events.inside": Point("server.runs.store", "append_events", "after", "while events are written"),
    "events.after": Point("server.runs.store:RunStore", "append", "after", "events are on disk, not shown"),
    "state.before": Point("server.checkpoints:SqliteCheckpoints", "aput", "before", "before a checkpoint"),
    "state.after": Point("server.checkpoints:SqliteCheckpoints", "aput", "after", "after a checkpoint"),
    "writes.before": Point("server.checkpoints:SqliteCheckpoints", "aput_writes", "before", "before a node's writes"),
    "writes.after": Point("server.checkpoints:SqliteCheckpoints", "aput_writes", "after", "after a node's writes"),
    "end.before": Point("server.runs.store:RunStore", "finish", "before", "before the end is written"),
    "end.inside": Point("server.runs.store", "finish", "after", "while the end is written"),
    "end.after": Point("server.runs.store:RunStore", "finish", "after", "the end is on disk, not shown"),
    "takeover": Point("server.runs.store:RunStore", "claim", "after", "unfinished runs were taken over"),
}


@dataclass(frozen=True)
class Plan:
    """Which signal strikes, at which point, and at the how-manieth time (from 1) that it is passed."""

    point: str
    signal: Signal
    hit: int

    def write(self, path: Path) -> None:
        """Hand the plan to a server; it is in force once the file is gone."""
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self)), encoding="utf-8")
        draft.rename(path)


class _Striker:
    """Counts how often the planned point is passed, and strikes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._plan: Plan | None = None
        self._passed = 0
        self._lock = Lock()
        self.take()

    def take(self) -> None:
        """Take in a plan, if there is one."""
        if self._path.exists():
            self._plan, self._passed = Plan(**json.loads(self._path.read_text(encoding="utf-8"))), 0
            self._path.unlink()

    def wait_for_plans(self) -> None:
        """Take in whatever comes."""
        while True:
            time.sleep(_LOOKS_S)
            self.take()

    def passed(self, point: str) -> None:
        """The server is at a point."""
        with self._lock:
            if self._plan is None or self._plan.point != point:
                return
            self._passed += 1
            if self._passed < self._plan.hit:
                return
            number, self._plan = signal.Signals[self._plan.signal], None
        os.kill(os.getpid(), number)


def _striking(function: Callable[..., Any], before: str | None, after: str | None, striker: _Striker) -> Any:
    """A function with points around it; a coroutine function's are in the coroutine."""
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            if before:
                striker.passed(before)
            result = await function(*args, **kwargs)
            if after:
                striker.passed(after)
            return result

        return awaited

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        if before:
            striker.passed(before)
        result = function(*args, **kwargs)
        if after:
            striker.passed(after)
        return result

    return called


def install(path: Path) -> None:
    """Put the points into the server's modules, and wait for plans in a thread."""
    striker = _Striker(path)
    names: dict[tuple[str, str], dict[When, str]] = {}
    for name, point in POINTS.items():
        names.setdefault((point.target, point.attribute), {})[point.when] = name
    for (target, attribute), around in names.items():
        if "SWITCHYARD_DATABASE_URL" in os.environ:
            target = _IN_POSTGRES.get(target, target)
        module, _, owner = target.partition(":")
        place = getattr(import_module(module), owner) if owner else import_module(module)
        function = getattr(place, attribute)
        setattr(place, attribute, _striking(function, around.get("before"), around.get("after"), striker))
    Thread(target=striker.wait_for_plans, name="crash plans", daemon=True).start()


if __name__ == "__main__":
    import tools  # noqa: F401  # pyright: ignore[reportUnusedImport]  # sets the offline switches first
    from server.cli.main import main

    install(Path(os.environ[PLAN_VARIABLE]))
    main()
