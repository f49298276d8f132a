"""How long the product takes for a one-page receipt and for a contract of ten pages."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from eval.extraction.generator import generate
from tools.extraction import extract, resolve_schema
from tools.knowledge.documents import PAGE_BREAK
from tools.ports import ChatModel

_PAGES, _PAGE_CHARS = 10, 2600
_SEED = 77


def long_contracts(count: int) -> Iterator[str]:
    """Held-out contracts of ten pages: one, then clauses of others behind it."""
    contracts = generate("held_out", 40 * count, _SEED, ["contract"])
    for _ in range(count):
        text = next(contracts).text
        while len(text) < _PAGES * _PAGE_CHARS:
            text += "\n" + _clauses(next(contracts).text)
        yield PAGE_BREAK.join(text[start : start + _PAGE_CHARS] for start in range(0, len(text), _PAGE_CHARS)[:_PAGES])


def _clauses(contract: str) -> str:
    """What stands between the opening and the signatures."""
    paragraphs = contract.replace(PAGE_BREAK, "\n\n").split("\n\n")
    return "\n\n".join(paragraphs[3:-1])


async def measure_latency(model: ChatModel, count: int) -> dict[str, Any]:
    """Seconds of `count` documents of each kind, one after the other, as JSON; the model is warmed up before."""
    receipts = [one.text for one in generate("held_out", count, _SEED, ["receipt"])]
    load = os.getloadavg()[0]
    await _seconds("receipt", receipts[:1], model)
    return {
        "cores": len(os.sched_getaffinity(0)), "cores_of_machine": os.cpu_count(), "load_before": round(load, 1),
        "rows": [
            {"what": "one-page receipt", "limit_s": 4.0, **await _seconds("receipt", receipts, model)},
            {"what": "contract of ten pages", "limit_s": 20.0,
             **await _seconds("contract", list(long_contracts(count)), model)},
        ],
    }  # fmt: skip


async def _seconds(schema: str, texts: Sequence[str], model: ChatModel) -> dict[str, Any]:
    taken: list[float] = []
    asked = 0
    for text in texts:
        started = time.perf_counter()
        result = await extract(text, resolve_schema(schema), model)
        taken.append(time.perf_counter() - started)
        asked += result.prompt is not None
    return {
        "documents": len(texts), "characters": round(float(np.mean([len(text) for text in texts]))), "asked": asked,
        "p50_s": round(float(np.quantile(taken, 0.5)), 3), "p95_s": round(float(np.quantile(taken, 0.95)), 3),
        "max_s": round(max(taken), 3),
    }  # fmt: skip
