"""Soak: clients that come, leave and cancel for minutes, while memory, files, tasks and logs are watched."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.reliability.endpoint import paced
from tests.reliability.inside import tasks_of
from tests.reliability.slope import FEWEST, slope
from tests.reliability.stage import Stage
from tests.reliability.wire import asked
from tests.server.site import QUESTION

_LONGEST_READ = 2_000
_QUIET_S = 60.0
_LOOKS_S = 0.25
# How much more there may be at rest than before: the database's pool makes its connections, two files each, when they
# are first needed.
_MORE = {"asyncio_tasks": 0, "file_descriptors": 4}


@dataclass(frozen=True)
class Sample:
    """The server at one moment; `at_s` are seconds since the soak began.

    Its connections to the model are apart from the other files: the client keeps those that it may use again.
    """

    at_s: float
    rss_mb: float
    file_descriptors: int
    model_connections: int
    threads: int
    asyncio_tasks: int
    app_wal_kb: float
    checkpoint_wal_kb: float


FIGURES = tuple(one.name for one in fields(Sample) if one.name != "at_s")


@dataclass
class Soak:
    """Clients on a server, and what was seen of it meanwhile."""

    stage: Stage
    tasks_file: Path
    seed: int
    clients: int
    started: float = field(default_factory=time.monotonic)
    actions: Counter[str] = field(default_factory=Counter[str])
    errors: list[str] = field(default_factory=list[str])

    async def run(
        self, warm_up_s: float, load_s: float, every_s: float, seen: Callable[[Sample], None]
    ) -> dict[str, Any]:
        """Load the server, look at it at rest, load it and watch, look at it at rest again."""
        async with self._load():
            await asyncio.sleep(warm_up_s)
        baseline = await self._at_rest()
        begun, samples = time.monotonic(), list[Sample]()
        async with self._load():
            while time.monotonic() - begun < load_s or len(samples) < FEWEST:
                await asyncio.sleep(every_s)
                samples.append(await self._sample())
                seen(samples[-1])
        after = await self._at_rest()
        broken = [name for name, more in _MORE.items() if getattr(after, name) > getattr(baseline, name) + more]
        minutes = [sample.at_s / 60 for sample in samples]
        return {
            "seconds": round(samples[-1].at_s - baseline.at_s),
            "actions": dict(sorted(self.actions.items())),
            "broken": [*self.errors, *(f"{name} do not return" for name in broken)],
            "baseline": asdict(baseline),
            "after": asdict(after),
            "peak": {name: max(getattr(sample, name) for sample in samples) for name in FIGURES},
            "slope_per_minute": {
                name: asdict(slope(minutes, [getattr(sample, name) for sample in samples])) for name in FIGURES
            },
            "samples": [list(asdict(sample).values()) for sample in samples],
        }

    def _load(self) -> _Clients:
        return _Clients([self._client(number) for number in range(self.clients)])

    async def _client(self, number: int) -> None:
        rng = random.Random(f"{self.seed}/{number}")
        actions = (self._stay, self._leave, self._cancel, self._leave_and_stop, self._delete)
        async with httpx.AsyncClient(base_url=self.stage.url, timeout=60, trust_env=False) as http:
            while True:
                action = rng.choice(actions)
                try:
                    await action(http, rng)
                except (httpx.HTTPError, OSError, asyncio.IncompleteReadError) as error:
                    self.errors.append(f"{action.__name__}: {type(error).__name__}: {error}")
                self.actions[action.__name__.removeprefix("_")] += 1

    async def _stay(self, http: httpx.AsyncClient, rng: random.Random) -> None:
        """Ask and read to the end."""
        async with http.stream("POST", "/api/v1/chat", json={"message": _question(rng)}) as answer:
            answer.raise_for_status()
            async for _ in answer.aiter_raw():
                pass

    async def _leave(self, http: httpx.AsyncClient, rng: random.Random) -> None:
        """Ask and leave in the middle; the run goes on. Come back for the rest now and then."""
        async with asked(self.stage.url, "/api/v1/chat", {"message": _question(rng)}) as answer:
            await answer.read_first_event()
            run_id = answer.frames()[0].run_id
            await answer.read(rng.randint(0, _LONGEST_READ))
        if rng.random() < 0.5:
            (await http.get(f"/api/v1/runs/{run_id}/events", params={"after": 1})).raise_for_status()

    async def _cancel(self, http: httpx.AsyncClient, rng: random.Random) -> None:
        """Ask, and stop the run while it works."""
        async with asked(self.stage.url, "/api/v1/chat", {"message": _question(rng)}) as answer:
            await answer.read_first_event()
            run_id = answer.frames()[0].run_id
            await answer.read(rng.randint(0, _LONGEST_READ))
            (await http.post(f"/api/v1/runs/{run_id}/cancel")).raise_for_status()
            await answer.read_all()

    async def _leave_and_stop(self, http: httpx.AsyncClient, rng: random.Random) -> None:
        """Ask by LangGraph's protocol, and leave a run that is to end then."""
        asks = {"messages": [{"role": "user", "content": _question(rng)}]}
        body = {"assistant_id": "switchyard", "input": asks, "on_disconnect": "cancel", "stream_mode": ["messages"]}
        async with asked(self.stage.url, "/runs/stream", body) as answer:
            await answer.read_first_event()
            await answer.read(rng.randint(0, 4 * _LONGEST_READ))

    async def _delete(self, http: httpx.AsyncClient, rng: random.Random) -> None:
        """Ask without a stream on a new thread, and delete the thread."""
        answer = await http.post("/api/v1/chat", json={"message": _question(rng), "stream": False})
        thread_id = answer.raise_for_status().json()["thread_id"]
        (await http.delete(f"/api/v1/threads/{thread_id}")).raise_for_status()

    async def _at_rest(self) -> Sample:
        """The server once nobody is connected and no run works."""
        deadline = time.monotonic() + _QUIET_S
        while time.monotonic() < deadline:
            await asyncio.sleep(_LOOKS_S)
            clients, _ = await self._connections()
            if not clients and not any(name.startswith("run ") for name in await self._tasks()):
                return await self._sample()
        raise TimeoutError("the server does not come to rest")

    async def _sample(self) -> Sample:
        process, settings = self.stage.measured.process, self.stage.settings
        _, to_model = await self._connections()
        return Sample(
            at_s=round(time.monotonic() - self.started, 1),
            rss_mb=round(self.stage.measured.rss_mb(), 1),
            file_descriptors=process.num_fds() - to_model,
            model_connections=to_model,
            threads=process.num_threads(),
            asyncio_tasks=(await self._tasks()).total(),
            app_wal_kb=_wal_kb(settings.app_database),
            checkpoint_wal_kb=_wal_kb(settings.checkpoint_database),
        )

    async def _connections(self) -> tuple[int, int]:
        """How many connections there are from clients, and to the model."""
        port = int(self.stage.url.rpartition(":")[2])
        found = await asyncio.to_thread(self.stage.measured.process.net_connections, "tcp")
        open_ones = [one for one in found if one.status != psutil.CONN_LISTEN]
        clients = sum(one.laddr.port == port for one in open_ones)
        return clients, len(open_ones) - clients

    async def _tasks(self) -> Counter[str]:
        return await asyncio.to_thread(tasks_of, self.stage.measured.process.pid, self.tasks_file)


@dataclass
class _Clients:
    """Clients that go on until the end of the block."""

    work: list[Coroutine[Any, Any, None]]
    tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    async def __aenter__(self) -> None:
        self.tasks = [asyncio.create_task(one) for one in self.work]

    async def __aexit__(self, *_: object) -> None:
        for task in self.tasks:
            task.cancel()
        ended = await asyncio.gather(*self.tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error


def _question(rng: random.Random) -> str:
    return f"{QUESTION} {paced(rng.randint(20, 80), rng.choice((0, 5, 20)))}"


def _wal_kb(database: Path) -> float:
    wal = database.with_name(f"{database.name}-wal")
    return round(wal.stat().st_size / 1024, 1) if wal.exists() else 0.0
