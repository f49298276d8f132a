"""A folder of many tiny files, followed by the command line into a running server."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

from eval.bench.measures import Figures
from eval.bench.processes import Measured, server_environment, switchyard
from eval.knowledge_bench.bulk import peak_mb

_WORDS = "account alert amount branch card case claim country customer day fee form hour limit merchant notice".split()
_WORDS_EACH = 10
_FILES_A_FOLDER = 1000
_TIMEOUT_S = 600
_LOOK_S = 0.5


def sync_folder(count: int) -> Figures:
    """Sync a folder of `count` files of one line: half of them, then the other half, then nothing new.

    The two halves show whether a file costs more the more there are; memory is the most that the server and the command
    ever had.
    """
    with tempfile.TemporaryDirectory() as place:
        data, files = Path(place) / "data", Path(place) / "files"
        with switchyard(data, samples=False) as server:
            figures: Figures = {"files": count, "words_each": _WORDS_EACH, "start_mb": peak_mb(server)}
            half = count // 2
            _write(files, 0, half)
            first, command_mb = _sync(files, data)
            _write(files, half, count)
            second, command_mb_again = _sync(files, data)
            idle, _ = _sync(files, data)
            figures |= _counts(server)
            figures |= {
                "files_per_s_first_half": half / first,
                "files_per_s_second_half": (count - half) / second,
                "nothing_new_s": idle,
                "command_peak_mb": max(command_mb, command_mb_again),
                "peak_mb": peak_mb(server),
            }
    return figures


def _write(folder: Path, first: int, end: int) -> None:
    for n in range(first, end):
        rng = random.Random(n)
        path = folder / f"{n // _FILES_A_FOLDER:03}" / f"note-{n}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Note {n}: {' '.join(rng.choices(_WORDS, k=_WORDS_EACH))}.\n", encoding="utf-8")


def _sync(files: Path, data: Path) -> tuple[float, float]:
    """Seconds that `switchyard ingest --sync` took, and the most memory seen of it in MB (2**20 bytes)."""
    started, most = time.perf_counter(), 0
    command = [sys.executable, "-m", "server.cli.main", "ingest", "--sync", str(files)]
    with subprocess.Popen(command, env=server_environment(data, None), stdout=subprocess.DEVNULL) as child:
        process = psutil.Process(child.pid)
        while child.poll() is None:
            most = max(most, _resident(process))
            time.sleep(_LOOK_S)
    if child.returncode:
        raise RuntimeError(f"{command!r} ended with {child.returncode}")
    return time.perf_counter() - started, most / 2**20


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0


def _counts(server: Measured) -> Figures:
    """What the server says of its documents after the batches."""
    with httpx.Client(base_url=f"{server.url}/api/v1", timeout=_TIMEOUT_S) as client:
        batch: dict[str, Any] = client.post("/ingestions", json={}).raise_for_status().json()
        report = client.post(f"/ingestions/{batch['ingestion_id']}/finish").raise_for_status().json()["report"]
    return {name: report["counts"][name] for name in ("indexed", "failed", "waiting", "chunks", "chunks_in_index")}
