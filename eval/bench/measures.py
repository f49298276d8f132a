"""The measurements: each returns plain figures for the report."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil

from eval.bench.chats import Chat, first_token, run_chats, stream_chat
from eval.bench.processes import Measured

Figures = dict[str, float | int | str]

_SEQUENTIAL = 60
_THROUGHPUT_CHATS = 400
_THROUGHPUT_ROUNDS = 3
_THROUGHPUT_CONCURRENCY = 16
_CONCURRENT = 100


async def captured_prompts(server: Measured, fake: Measured, questions: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The final model request for each question that is answered, as the server sends it."""
    prompts: dict[str, dict[str, Any]] = {}
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=60) as client,
        httpx.AsyncClient(base_url=fake.url, timeout=60) as fake_client,
    ):
        await fake_client.get("/requests")
        for question in questions:
            await stream_chat(client, question)
            for request in (await fake_client.get("/requests")).json():
                prompts[question] = {"messages": request["messages"], "max_tokens": 8, "temperature": 0}
    return prompts


async def time_to_first_token(server: Measured, raw: Measured, prompts: dict[str, dict[str, Any]]) -> Figures:
    """First token through the chat API against the same prompt sent straight to an identical model server.

    Each server sees each prompt once, in the same order; which of the two goes first alternates.
    """
    through: list[float] = []
    direct: list[float] = []
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=120) as chat_client,
        httpx.AsyncClient(base_url=raw.url, timeout=120) as raw_client,
    ):
        for position, (question, body) in enumerate(prompts.items()):
            if position % 2:
                direct.append(await first_token(raw_client, body))
            chat = await stream_chat(chat_client, question)
            if not position % 2:
                direct.append(await first_token(raw_client, body))
            if chat.first_token_s is None or chat.error is not None:
                raise RuntimeError(f"no token for {question!r}: {chat.error or chat.events}")
            through.append(chat.first_token_s)
    ratios = [a / b for a, b in zip(through, direct, strict=True)]
    return {
        "prompts": len(ratios),
        "through_chat_s": statistics.median(through),
        "raw_model_s": statistics.median(direct),
        "ratio": statistics.median(ratios),
        "ratio_p90": sorted(ratios)[int(0.9 * (len(ratios) - 1))],
    }


async def first_event(server: Measured, questions: Sequence[str]) -> Figures:
    """Milliseconds to the first event and to the end, one chat at a time, on the fake model."""
    chats, _ = await run_chats(server.url, _repeated(questions, _SEQUENTIAL), concurrency=1)
    return {
        "chats": len(chats),
        "errors": _errors(chats),
        "first_event_p50_ms": 1000 * statistics.median(c.first_event_s or 0 for c in chats),
        "first_token_p50_ms": 1000 * statistics.median(c.first_token_s or 0 for c in chats),
        "total_p50_ms": 1000 * statistics.median(c.total_s for c in chats),
    }


async def throughput(server: Measured, fake: Measured, questions: Sequence[str]) -> Figures:
    """Complete chats a second on the fake model, each durably stored, with query embeddings cached.

    The median of a few rounds: on a shared machine one round says little.
    """
    await run_chats(server.url, list(questions), concurrency=4)
    me = psutil.Process()
    before = (server.cpu_s(), fake.cpu_s(), sum(me.cpu_times()[:2]))
    messages = _repeated(questions, _THROUGHPUT_CHATS)
    chats: list[Chat] = []
    rates: list[float] = []
    for _ in range(_THROUGHPUT_ROUNDS):
        done, seconds = await run_chats(server.url, messages, concurrency=_THROUGHPUT_CONCURRENCY)
        chats += done
        rates.append(len(done) / seconds)
    after = (server.cpu_s(), fake.cpu_s(), sum(me.cpu_times()[:2]))
    spent = [b - a for a, b in zip(before, after, strict=True)]
    return {
        "chats": len(chats),
        "rounds": _THROUGHPUT_ROUNDS,
        "concurrency": _THROUGHPUT_CONCURRENCY,
        "errors": _errors(chats),
        "chats_per_s": statistics.median(rates),
        "slowest_round_per_s": min(rates),
        "fastest_round_per_s": max(rates),
        "server_cpu_ms_per_chat": 1000 * spent[0] / len(chats),
        "fake_model_cpu_ms_per_chat": 1000 * spent[1] / len(chats),
        "load_generator_cpu_ms_per_chat": 1000 * spent[2] / len(chats),
    }


async def concurrent_streams(server: Measured, questions: Sequence[str]) -> Figures:
    """100 chats at the same time: errors, and streams that miss an event."""
    chats, seconds = await run_chats(server.url, _repeated(questions, _CONCURRENT), concurrency=_CONCURRENT)
    return {
        "chats": len(chats),
        "errors": sum(chat.error is not None for chat in chats),
        "incomplete_streams": sum(not chat.complete for chat in chats),
        "events": sum(len(chat.events) for chat in chats),
        "seconds": seconds,
    }


async def scoring_latency(server: Measured, transactions: Sequence[dict[str, Any]]) -> Figures:
    """Milliseconds to score one transaction after the other through the API, none seen before, parsing included."""
    taken: list[float] = []
    adapter: str | None = None
    warm_up, *fresh = transactions
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        await _score(client, warm_up)
        for transaction in fresh:
            started = time.perf_counter()
            adapter = await _score(client, transaction)
            taken.append(1000 * (time.perf_counter() - started))
    cuts = statistics.quantiles(taken, n=20)
    return {"transactions": len(taken), "adapter": adapter or "none", "p50_ms": cuts[9], "p95_ms": cuts[18]}


async def _score(client: httpx.AsyncClient, transaction: dict[str, Any]) -> str | None:
    """The name of the adapter that scored."""
    response = await client.post("/api/v1/fraud/score", json={"transaction": transaction})
    response.raise_for_status()
    return response.json()["results"][0]["model"]["adapter"]


async def memory_in_use(server: Measured, raw: Measured, documents: Sequence[dict[str, str]]) -> Figures:
    """Resident memory after the routes measured before and, for the last one, extractions: `text` into `schema`."""
    async with httpx.AsyncClient(base_url=server.url, timeout=120) as client:
        for document in documents:
            (await client.post("/api/v1/extract", json=document)).raise_for_status()
    return {"rss_mb": server.rss_mb(), "raw_model_rss_mb": raw.rss_mb(), "documents_extracted": len(documents)}


def router_latency(cache: Path) -> Figures:
    """Milliseconds to route messages never seen before, embedding included, in this process on one thread."""
    from agent.models.files import EMBEDDING_MODEL, embedding_folder
    from agent.router.router import Router
    from tools.knowledge.embed import MiniLMEmbedder

    router = Router.load(MiniLMEmbedder(embedding_folder(cache)), EMBEDDING_MODEL[0].sha256, cache)
    generator = random.Random(0)
    words = "card dispute merchant refund travel limit customer alert policy window fee terminal".split()
    texts = [" ".join(generator.choices(words, k=generator.randint(5, 18))) + "?" for _ in range(200)]
    router.route("warm up")
    times: list[float] = []
    for text in texts:
        started = time.perf_counter()
        router.route(text)
        times.append(time.perf_counter() - started)
    times.sort()
    return {"messages": len(times), "p50_ms": 1000 * times[100], "p95_ms": 1000 * times[190]}


def _repeated(questions: Sequence[str], count: int) -> list[str]:
    return [questions[i % len(questions)] for i in range(count)]


def _errors(chats: Sequence[Chat]) -> int:
    return sum(chat.error is not None or not chat.complete for chat in chats)
