"""Seeded scenarios: who calls, what strikes where, and whether the next process dies as well."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from agent.settings import Settings
from tests.crash.callers import KINDS, Caller, StoppedError
from tests.crash.oracle import Findings, check_audit, check_memory, check_rows, check_stream
from tests.crash.points import POINTS, Plan, Signal
from tests.crash.process import Victim, start
from tests.server.site import DOCUMENTS, QUESTION

_SIGNALS: tuple[Signal, ...] = ("SIGKILL", "SIGTERM", "SIGSTOP")
_AGAIN_SHARE = 0.2
_AGAIN_POINTS = ("takeover", "events.before", "events.after", "end.before", "end.inside", "end.after")
_PATIENCE_S = 60.0
_STANDING_STILL_S = 0.2


@dataclass(frozen=True)
class Scenario:
    """A strike at a point while some requests are under way; with `again`, a second one during the recovery."""

    seed: int
    plan: Plan
    again: Plan | None
    callers: tuple[Caller, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of a scenario. `struck` is false where the point was not reached and the process died at rest."""

    seed: int
    plan: Plan
    again: Plan | None
    struck: bool
    deaths: int
    ready_s: float
    findings: Findings

    def as_json(self) -> dict[str, Any]:
        """For the results file."""
        return asdict(self)


def scenario(seed: int, number: int) -> Scenario:
    """The scenario of a number, the same for the same seed; every point has its turn before one comes again."""
    rng = random.Random(f"{seed}/{number}")
    points = [name for name in POINTS if name != "takeover"]
    plan = Plan(points[number % len(points)], rng.choice(_SIGNALS), rng.choice((1, 1, 2, 3)))
    again = Plan(rng.choice(_AGAIN_POINTS), "SIGKILL", 1) if rng.random() < _AGAIN_SHARE else None
    name = f"{seed}-{number}"
    callers = [_caller(kind, f"{name}-{kind}", f"{name}-{kind}") for kind in KINDS]
    # A second turn, which waits for the first one's end.
    callers.append(_caller("client", f"{name}-next", f"{name}-stream"))
    rng.shuffle(callers)
    return Scenario(number, plan, again, tuple(callers))


def _caller(kind: Any, key: str, thread_id: str) -> Caller:
    return Caller(kind, key, thread_id, f"{QUESTION} ({key})")


@dataclass
class Matrix:
    """Scenarios one after the other on one data directory: the process that checks one is the next one's victim."""

    settings: Settings
    seed: int
    victim: Victim = field(init=False)

    def run(self, first: int, count: int) -> Iterator[Outcome]:
        """Play scenarios, and yield what came of each."""
        self.victim = start(self.settings)
        try:
            assert self.victim.ready(), "the server died before anything struck"
            documents = {"documents": DOCUMENTS}
            batch = httpx.post(
                f"{self.victim.url}/api/v1/documents/batch", json=documents, timeout=120, trust_env=False
            )
            assert batch.json()["failed"] == []
            for number in range(first, first + count):
                yield self._play(scenario(self.seed, number))
        finally:
            self.victim.bury()

    def _play(self, scene: Scenario) -> Outcome:
        struck = self._strike(scene)
        deaths = 1
        if scene.again is not None:
            self.victim = start(self.settings, scene.again)
            # Where the point is not reached before the server is ready, it dies at rest.
            if self.victim.ready():
                self.victim.struck(_STANDING_STILL_S)
            self.victim.bury()
            deaths += 1
        self.victim = start(self.settings)
        assert self.victim.ready(), "the server died although nothing struck"
        ready_s = time.monotonic() - self.victim.started
        findings = self._check(scene)
        return Outcome(scene.seed, scene.plan, scene.again, struck, deaths, round(ready_s, 2), findings)

    def _strike(self, scene: Scenario) -> bool:
        self.victim.arm(scene.plan)
        with ThreadPoolExecutor(len(scene.callers)) as pool:
            calls = [pool.submit(caller.call, self.victim.url) for caller in scene.callers]
            struck = self._wait_for_strike(calls)
            if scene.plan.signal == "SIGSTOP" and struck:
                time.sleep(_STANDING_STILL_S)
            self.victim.bury()
            for call in calls:
                error = call.exception()
                assert error is None or isinstance(error, StoppedError), error
        return struck

    def _wait_for_strike(self, calls: Any) -> bool:
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            if self.victim.struck(0.1):
                return True
            if all(call.done() for call in calls):
                # Everybody has an answer; whatever still runs has a moment to reach the point.
                return self.victim.struck(1.0)
        return False

    def _check(self, scene: Scenario) -> Findings:
        found, url = Findings(), self.victim.url
        with ThreadPoolExecutor(len(scene.callers)) as pool:
            list(pool.map(lambda caller: _come_back(caller, url, found), scene.callers))
        check_rows(self.settings, scene.callers, found, graceful=scene.plan.signal == "SIGTERM")
        check_memory(url, self.settings, scene.callers, found)
        check_audit(self.settings, found)
        return found


def _come_back(caller: Caller, url: str, found: Findings) -> None:
    try:
        rest = caller.come_back(url)
    except StoppedError:
        return
    if caller.acknowledged and caller.again != caller.run_id:
        found.duplicated.append(f"{caller.kind} {caller.key}: the same request led to another run")
    check_stream(caller, rest, caller.whole(url), found)
