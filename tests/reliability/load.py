"""Load with a fake model: the first event, many readers, many runs at once, and what a run costs the processor."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

import httpx

from eval.bench.chats import Chat, run_chats
from eval.bench.processes import Measured
from tests.reliability.endpoint import paced
from tests.reliability.fuzz import Reader, check
from tests.reliability.stage import Stage
from tests.reliability.wire import Answer, RefusedError, asked
from tests.server.site import QUESTION

Figures = dict[str, float | int]

LOCKED = "database is locked"
FIRST_EVENT_MS = 30.0
CPU_MS = 20.0
# The kinds of runs whose cost has a target: in the others the question's embedding is most of it.
KINDS_WITH_TARGET = ("chat_alone", "chat_16_at_once", "langgraph_sync", "langgraph_sync_no_documents")
_PATIENCE_S = 300.0


@dataclass(frozen=True)
class Cost:
    """Processor seconds of a server: of the thread that the event loop runs in, and of all others."""

    event_loop_s: float
    others_s: float

    @classmethod
    def of(cls, server: Measured) -> Cost:
        """So far."""
        times = {thread.id: thread.user_time + thread.system_time for thread in server.process.threads()}
        event_loop = times.pop(server.process.pid)
        # What threads that have ended had used counts for the process only.
        return cls(event_loop, server.cpu_s() - event_loop)

    def since(self, before: Cost, runs: int) -> Figures:
        """Milliseconds a run since `before`."""
        loop, others = self.event_loop_s - before.event_loop_s, self.others_s - before.others_s
        return {
            "cpu_ms": round(1000 * (loop + others) / runs, 2),
            "event_loop_ms": round(1000 * loop / runs, 2),
            "other_threads_ms": round(1000 * others / runs, 2),
        }


@dataclass
class _Crowd:
    """The readers of one run and what went wrong for them."""

    answers: list[Answer] = field(default_factory=list[Answer])
    errors: list[str] = field(default_factory=list[str])

    async def read(self, url: str, path: str, body: dict[str, Any] | None = None, known: Any = None) -> None:
        """Read a stream to its end; `known` is told the answer once the first event is there."""
        try:
            async with asked(url, path, body) as answer:
                if known is not None:
                    await answer.read_first_event()
                    known.set_result(answer)
                await answer.read_all()
                self.answers.append(answer)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.errors.append(f"{type(error).__name__}: {error}")

    def violations(self) -> list[str]:
        """Everything that is wrong, once all is read."""
        readers: list[Reader] = []
        wrong = list(self.errors)
        for answer in self.answers:
            try:
                readers.append(Reader("joiner", answer.frames()))
            except RefusedError as error:
                wrong.append(str(error))
        return [*wrong, *(problem for reader in readers for problem in check(reader, readers[0]))]

    def events(self) -> int:
        """How many events were read, by all readers together."""
        return sum(len(answer.frames()) for answer in self.answers)


async def paced_readers(server: Measured, *, readers: int, runs: int, words: int, per_s: int) -> Figures:
    """Readers that follow runs whose model says `per_s` words a second."""
    crowds = [_Crowd() for _ in range(runs)]
    before, started = Cost.of(server), time.perf_counter()
    async with asyncio.timeout(_PATIENCE_S), asyncio.TaskGroup() as all_readers:
        for number, crowd in enumerate(crowds):
            share = readers // runs + (number < readers % runs)
            all_readers.create_task(_fill(server.url, crowd, share, f"{QUESTION} {paced(words, 1000 // per_s)}"))
    seconds = time.perf_counter() - started
    spent = Cost.of(server).since(before, 1)
    events = sum(crowd.events() for crowd in crowds)
    return {
        "runs": runs,
        "readers": readers,
        "errors": sum(len(crowd.violations()) for crowd in crowds),
        "events": events,
        "events_per_reader_and_s": round(events / readers / seconds, 1),
        "seconds": round(seconds, 1),
        "server_cores": round(spent["cpu_ms"] / 1000 / seconds, 2),
    }


async def _fill(url: str, crowd: _Crowd, readers: int, message: str) -> None:
    known: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        group.create_task(crowd.read(url, "/api/v1/chat", {"message": message}, known))
        run_id = (await known).frames()[0].run_id
        for _ in range(readers - 1):
            group.create_task(crowd.read(url, f"/api/v1/runs/{run_id}/events"))


async def many_runs(stage: Stage, questions: Sequence[str], *, runs: int) -> Figures:
    """Runs that all begin at once: half of them chats, half of them LangGraph runs that keep every step at once."""
    started = time.perf_counter()
    asks = list(islice(cycle(questions), runs))
    (chats, _), waited = await asyncio.gather(
        run_chats(stage.url, asks[::2], concurrency=runs), protocol_runs(stage.url, asks[1::2], concurrency=runs)
    )
    return {
        "runs": runs,
        "complete": sum(is_well(chat) for chat in chats) + sum(waited),
        "database_is_locked": stage.log.read_text(errors="replace").count(LOCKED),
        "seconds": round(time.perf_counter() - started, 1),
    }


async def protocol_runs(
    url: str, questions: Sequence[str], *, concurrency: int, collection: str = "default"
) -> list[bool]:
    """LangGraph runs on threads of their own with `durability: sync`; whether each came to an answer."""
    slots = asyncio.Semaphore(concurrency)
    async with httpx.AsyncClient(base_url=url, timeout=_PATIENCE_S, trust_env=False) as client:

        async def one(question: str) -> bool:
            asks = {"messages": [{"role": "user", "content": question}]}
            kept = {"durability": "sync", "on_completion": "keep", "context": {"collection": collection}}
            body = {"assistant_id": "switchyard", "input": asks, **kept}
            async with slots:
                answer = await client.post("/runs/wait", json=body)
            return answer.is_success and [message["type"] for message in answer.json()["messages"]] == ["human", "ai"]

        return list(await asyncio.gather(*(one(question) for question in questions)))


async def cost_of_runs(stage: Stage, questions: Sequence[str], *, runs: int) -> dict[str, Figures]:
    """What a run costs the server's processor, by kind of run.

    Raises:
        RuntimeError: a run did not come to its answer.
    """
    asks = list(islice(cycle(questions), runs))
    new = [f"{question} (case {number})" for number, question in enumerate(asks)]
    kinds = {
        "chat_alone": lambda: _chats(stage.url, asks, 1),
        "chat_16_at_once": lambda: _chats(stage.url, asks, 16),
        "chat_never_asked_before": lambda: _chats(stage.url, new, 1),
        "langgraph_sync": lambda: protocol_runs(stage.url, asks, concurrency=1),
        "langgraph_sync_no_documents": lambda: protocol_runs(stage.url, asks, concurrency=1, collection="empty"),
    }
    # The first ask of each question embeds it.
    await _chats(stage.url, list(questions), 1)
    found: dict[str, Figures] = {}
    for kind, play in kinds.items():
        before = Cost.of(stage.measured)
        if not all(await play()):
            raise RuntimeError(f"not every run of {kind!r} came to its answer")
        found[kind] = {"runs": runs, **Cost.of(stage.measured).since(before, runs)}
    return found


def broken(found: Mapping[str, Any]) -> list[str]:
    """Which promises do not hold."""
    readers, many = found["paced_readers"], found["many_runs"]
    promises = {
        "first event": found["first_event"]["first_event_p50_ms"] <= FIRST_EVENT_MS,
        "errors of the first events": found["first_event"]["errors"] == 0,
        "errors of paced readers": readers["errors"] == 0,
        "runs at once": many["complete"] == many["runs"],
        LOCKED: many["database_is_locked"] == 0,
        **{f"cost of {kind}": found["cost"][kind]["cpu_ms"] <= CPU_MS for kind in KINDS_WITH_TARGET},
    }
    return [name for name, held in promises.items() if not held]


async def answered(url: str, questions: Sequence[str]) -> list[str]:
    """The questions that the documents answer: only these go through the whole graph and the model."""
    chats, _ = await run_chats(url, questions, concurrency=1)
    return [one for one, chat in zip(questions, chats, strict=True) if (chat.result or {}).get("route") == "knowledge"]


def is_well(chat: Chat) -> bool:
    """Whether a chat came to its result, every event in order."""
    return chat.error is None and chat.complete


async def _chats(url: str, questions: Sequence[str], concurrency: int) -> list[bool]:
    chats, _ = await run_chats(url, questions, concurrency=concurrency)
    return [is_well(chat) for chat in chats]
