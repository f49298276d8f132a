"""Reconnect fuzz: connections cut off anywhere, resumed in every way that there is; all readers must see the same.

What is cut and where follows from the seed; how far a run is at that moment is up to the machine.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

import httpx

from tests.reliability.endpoint import paced
from tests.reliability.wire import Answer, Frame, asked
from tests.server.site import QUESTION

Protocol = Literal["native", "langgraph"]
Kind = Literal["asker", "joiner", "slow", "late"]
Resume = Literal["header", "after", "both"]

KINDS: tuple[Kind, ...] = ("asker", "joiner", "slow", "late")
_CUTS = 6
_CANCELLED_SHARE = 0.15
_AT_ONCE_SHARE = 0.1
_LONGEST_READ = {"native": 2_500, "langgraph": 25_000}
_LONGEST_WAIT_S = 0.15
_SLOW_BYTES = 2_048
_SLOW_PIECE = 400
_SLOW_PAUSE_S = 0.01
_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Cut:
    """One connection of a reader: how many bytes it reads, how long the reader then stays away, how it comes back."""

    after_bytes: int
    away_s: float
    resume: Resume


@dataclass(frozen=True)
class Scenario:
    """A run and its readers' cuts; `cancel_after_s` is when somebody stops it, if anybody does."""

    number: int
    protocol: Protocol
    words: int
    pace_ms: int
    cancel_after_s: float | None
    cuts: dict[Kind, tuple[Cut, ...]]


@dataclass
class Reader:
    """What one reader has got, over all of its connections."""

    kind: Kind
    frames: list[Frame] = field(default_factory=list[Frame])
    cuts: Counter[str] = field(default_factory=Counter[str])

    @property
    def done(self) -> bool:
        """Whether it has the terminal event."""
        return bool(self.frames) and self.frames[-1].name == "end"

    @property
    def last(self) -> int:
        """The number of the last event that it has."""
        return self.frames[-1].seq if self.frames else 0


@dataclass
class Run:
    """A run whose stream is at `place`."""

    url: str
    protocol: Protocol
    run_id: str
    place: str

    def connect(self, reader: Reader, resume: Resume) -> Any:
        """The rest of the run for a reader, or all of it."""
        query = f"?after={reader.last}" if resume != "header" and self.protocol == "native" else ""
        native = self.protocol == "native"
        cursor = {"Last-Event-ID": f"{self.run_id}:{reader.last}" if native else str(reader.last)}
        headers = cursor if reader.frames and (resume != "after" or not native) else {}
        receive_bytes = _SLOW_BYTES if reader.kind == "slow" else None
        return asked(self.url, f"{self.place}{query}", headers=headers, receive_bytes=receive_bytes)


@dataclass(frozen=True)
class Outcome:
    """What came of a scenario."""

    scenario: Scenario
    events: int
    cuts: Counter[str]
    violations: list[str]


def scenario(seed: int, number: int) -> Scenario:
    """The scenario of a number, the same for the same seed."""
    rng = random.Random(f"{seed}/{number}")
    protocol: Protocol = "langgraph" if number % 3 == 2 else "native"
    # LangGraph's protocol does not tell of the error that a cancellation is: a number is missing there.
    cancelled = protocol == "native" and rng.random() < _CANCELLED_SHARE
    return Scenario(
        number,
        protocol,
        words=rng.randint(20, 60),
        pace_ms=rng.choice((0, 5, 10, 20)),
        cancel_after_s=round(rng.uniform(0.0, 0.6), 3) if cancelled else None,
        cuts={kind: tuple(_cut(rng, protocol) for _ in range(rng.randint(2, _CUTS))) for kind in KINDS},
    )


def _cut(rng: random.Random, protocol: Protocol) -> Cut:
    at_once = rng.random() < _AT_ONCE_SHARE
    read = 0 if at_once else rng.randint(1, rng.choice((150, _LONGEST_READ[protocol])))
    return Cut(read, round(rng.uniform(0.0, _LONGEST_WAIT_S), 3), rng.choice(("header", "after", "both")))


async def fuzz(url: str, *, seed: int, cuts: int) -> AsyncIterator[Outcome]:
    """Play scenarios until so many connections were cut, and yield what came of each."""
    made = 0
    for number in count():
        if made >= cuts:
            return
        async with asyncio.timeout(_PATIENCE_S):
            outcome = await _play(url, scenario(seed, number))
        made += outcome.cuts.total()
        yield outcome


async def _play(url: str, scene: Scenario) -> Outcome:
    readers = {kind: Reader(kind) for kind in KINDS}
    async with asyncio.TaskGroup() as live:
        run = await _ask(url, scene, readers["asker"], live)
        for kind in ("joiner", "slow"):
            live.create_task(_follow(run, readers[kind], scene.cuts[kind]))
        if scene.cancel_after_s is not None:
            live.create_task(_cancel(run, scene.cancel_after_s))
    await _follow(run, readers["late"], scene.cuts["late"])
    whole = Reader("late")
    await _follow(run, whole, ())
    after_end = Reader("late", [whole.frames[-1]])
    await _read(run, after_end, Cut(0, 0.0, "both"), to_the_end=True)
    violations = [
        f"{scene.number} {reader.kind}: {wrong}" for reader in readers.values() for wrong in check(reader, whole)
    ]
    if len(after_end.frames) > 1:
        violations.append(f"{scene.number}: something came after the end")
    cuts = sum((reader.cuts for reader in readers.values()), Counter[str]())
    return Outcome(scene, len(whole.frames), cuts, violations)


def check(reader: Reader, whole: Reader) -> list[str]:
    """What is wrong with what a reader got, beside a reader that was never cut off."""
    wrong: list[str] = []
    numbers = [frame.seq for frame in reader.frames]
    if numbers != list(range(1, len(numbers) + 1)):
        wrong.append(f"the numbers are not 1 to n: {numbers}")
    names = [frame.name for frame in reader.frames]
    if names.count("end") != 1 or names[-1] != "end":
        wrong.append("not exactly one terminal event, at the end")
    if [frame.raw for frame in reader.frames] != [frame.raw for frame in whole.frames]:
        wrong.append("other bytes than the reader without cuts")
    return wrong


async def _ask(url: str, scene: Scenario, reader: Reader, live: asyncio.TaskGroup) -> Run:
    """Send the question; its sender is a reader like the others, once the run is known."""
    message = f"{QUESTION} {paced(scene.words, scene.pace_ms)}"
    begun: asyncio.Future[Run] = asyncio.get_running_loop().create_future()
    live.create_task(_send(url, scene, message, reader, begun))
    return await begun


async def _send(url: str, scene: Scenario, message: str, reader: Reader, begun: asyncio.Future[Run]) -> None:
    path, body = _request(scene.protocol, message)
    first, *rest = scene.cuts["asker"]
    async with asked(url, path, body) as answer:
        await answer.read_first_event()
        run_id = answer.frames()[0].run_id
        place = f"/api/v1/runs/{run_id}/events" if scene.protocol == "native" else f"/runs/{run_id}/stream"
        run = Run(url, scene.protocol, run_id, place)
        begun.set_result(run)
        await _take(answer, reader, first)
    await asyncio.sleep(first.away_s)
    await _follow(run, reader, rest, resume=first.resume)


def _request(protocol: Protocol, message: str) -> tuple[str, dict[str, Any]]:
    if protocol == "native":
        return "/api/v1/chat", {"message": message}
    asks = {"messages": [{"role": "user", "content": message}]}
    modes = ["values", "messages", "updates"]
    return "/runs/stream", {
        "assistant_id": "switchyard",
        "input": asks,
        "stream_mode": modes,
        "on_disconnect": "continue",
    }


async def _follow(run: Run, reader: Reader, cuts: Sequence[Cut], *, resume: Resume = "header") -> None:
    """Read a run to its end, cut off as planned; the last connection is left alone."""
    for cut in cuts:
        if reader.done:
            return
        await _read(run, reader, Cut(cut.after_bytes, cut.away_s, resume))
        await asyncio.sleep(cut.away_s)
        resume = cut.resume
    if not reader.done:
        await _read(run, reader, Cut(0, 0.0, resume), to_the_end=True)


async def _read(run: Run, reader: Reader, cut: Cut, *, to_the_end: bool = False) -> None:
    async with run.connect(reader, cut.resume) as answer:
        if to_the_end:
            await _read_slowly(answer, None) if reader.kind == "slow" else await answer.read_all()
            reader.frames += answer.frames()
        else:
            await _take(answer, reader, cut)


async def _take(answer: Answer, reader: Reader, cut: Cut) -> None:
    """Read as far as the cut; what came whole counts."""
    if reader.kind == "slow":
        await _read_slowly(answer, cut.after_bytes)
    else:
        await answer.read(cut.after_bytes)
    reader.frames += answer.frames()
    if not reader.done:
        reader.cuts[reader.kind] += 1


async def _read_slowly(answer: Answer, most: int | None) -> None:
    read = 0
    while not answer.ended and (most is None or read < most):
        piece = _SLOW_PIECE if most is None else min(_SLOW_PIECE, most - read)
        await answer.read(piece)
        read += piece
        await asyncio.sleep(_SLOW_PAUSE_S)


async def _cancel(run: Run, after_s: float) -> None:
    await asyncio.sleep(after_s)
    async with httpx.AsyncClient(base_url=run.url, trust_env=False) as client:
        (await client.post(f"/api/v1/runs/{run.run_id}/cancel")).raise_for_status()
