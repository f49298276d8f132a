"""Many documents into a running server, and the memory that takes."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from eval.bench.measures import Figures
from eval.bench.processes import Measured, switchyard

_BATCH = 500
_WORDS = "account alert amount branch card case claim country customer day fee form hour limit merchant notice".split()
_TIMEOUT_S = 600
_MEBIBYTE_KB = 1024


def bulk_ingest(count: int, words: int) -> Figures:
    """Send `count` documents of `words` words in batches; peak memory is the server's, its language model included."""
    with tempfile.TemporaryDirectory() as folder, switchyard(Path(folder), samples=False) as server:
        before = peak_mb(server)
        with httpx.Client(base_url=f"{server.url}/api/v1", timeout=_TIMEOUT_S) as client:
            started = time.perf_counter()
            indexed = sum(_send(client, batch) for batch in _batches(count, words))
            seconds = time.perf_counter() - started
        return {
            "documents": count,
            "words_each": words,
            "indexed": indexed,
            "documents_per_s": count / seconds,
            "start_mb": before,
            "peak_mb": peak_mb(server),
        }


def _send(client: httpx.Client, batch: list[dict[str, Any]]) -> int:
    response = client.post("/documents/batch", json={"documents": batch})
    response.raise_for_status()
    return response.json()["indexed"]


def _batches(count: int, words: int) -> Iterator[list[dict[str, Any]]]:
    rng = random.Random(0)
    for first in range(0, count, _BATCH):
        yield [
            {"id": f"bulk-{n}", "title": f"Note {n}", "text": f"Note {n}: {' '.join(rng.choices(_WORDS, k=words))}."}
            for n in range(first, min(first + _BATCH, count))
        ]


def peak_mb(server: Measured) -> float:
    """The most resident memory the process ever had, as Linux keeps it; MB are 2**20 bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text("utf-8")
    [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(kilobytes) / _MEBIBYTE_KB
