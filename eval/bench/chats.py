"""Chats as a client sees them: over HTTP, event by event."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

_GOLDEN = Path(__file__).parents[1] / "golden" / "knowledge.jsonl"


@dataclass
class Chat:
    """One streamed chat. Times are seconds from the request; `events` holds (sequence number, name)."""

    first_event_s: float | None = None
    first_token_s: float | None = None
    total_s: float = 0.0
    events: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    result: dict[str, Any] | None = None
    error: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every event arrived, in order, up to the terminal one, with a result."""
        numbers = [seq for seq, _ in self.events]
        names = [name for _, name in self.events]
        in_order = numbers == list(range(1, len(numbers) + 1))
        return in_order and self.result is not None and names[-1:] == ["end"] and names.count("end") == 1


def golden_questions(count: int) -> list[str]:
    """Questions over the samples that need no conversation before them."""
    cases = [json.loads(line) for line in _GOLDEN.read_text("utf-8").splitlines()]
    return [case["turns"][-1] for case in cases if len(case["turns"]) == 1][:count]


async def stream_chat(client: httpx.AsyncClient, message: str) -> Chat:
    """Ask `message` on a new thread and read the stream to its end."""
    chat = Chat()
    started = time.perf_counter()
    try:
        async with client.stream("POST", "/api/v1/chat", json={"message": message}) as response:
            response.raise_for_status()
            seq, name = 0, ""
            async for line in response.aiter_lines():
                now = time.perf_counter() - started
                if line.startswith("id: "):
                    seq = int(line.rpartition(":")[2])
                elif line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    _note(chat, seq, name, line.removeprefix("data: "), now)
    except (httpx.HTTPError, ValueError) as error:
        chat.error = f"{type(error).__name__}: {error}"
    chat.total_s = time.perf_counter() - started
    return chat


async def run_chats(url: str, messages: Sequence[str], *, concurrency: int) -> tuple[list[Chat], float]:
    """Ask all messages, `concurrency` at a time; returns the chats and the seconds they took together."""
    slots = asyncio.Semaphore(concurrency)
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    async with httpx.AsyncClient(base_url=url, timeout=300, limits=limits) as client:

        async def one(message: str) -> Chat:
            async with slots:
                return await stream_chat(client, message)

        started = time.perf_counter()
        chats = await asyncio.gather(*(one(message) for message in messages))
        return list(chats), time.perf_counter() - started


async def first_token(client: httpx.AsyncClient, body: dict[str, Any]) -> float:
    """Seconds until a model endpoint sends the first text for a chat completion request."""
    started = time.perf_counter()
    async with client.stream("POST", "/v1/chat/completions", json={**body, "stream": True}) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if not line.startswith("data: {"):
                continue
            choices = json.loads(line.removeprefix("data: "))["choices"]
            if choices and choices[0]["delta"].get("content"):
                return time.perf_counter() - started
    raise ValueError("the endpoint sent no text")


def _note(chat: Chat, seq: int, name: str, data: str, now: float) -> None:
    chat.events.append((seq, name))
    chat.first_event_s = now if chat.first_event_s is None else chat.first_event_s
    if name == "token" and chat.first_token_s is None:
        chat.first_token_s = now
    if name == "result":
        chat.result = result = json.loads(data)
        if result["cached"]:
            chat.error = "answered from the cache: that measures nothing"
    if name == "error":
        chat.error = data
