"""The processes that are measured: the server, the raw model beside it, the fake model."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
import psutil

from agent.models.merged import MergedFiles
from tools.fraud.adapters import merged_folder, packaged_adapter
from tools.fraud.manifest import MANIFEST_NAME, AdapterManifest

_START_TIMEOUT_S = 600
_STOP_TIMEOUT_S = 20
_MERGE_TIMEOUT_S = 120


@dataclass(frozen=True)
class Measured:
    """A running process: where it listens, how long it took to be ready, and what it uses."""

    url: str
    ready_s: float
    process: psutil.Process

    def cpu_s(self) -> float:
        """Processor seconds used so far."""
        times = self.process.cpu_times()
        return times.user + times.system

    def rss_mb(self) -> float:
        """Resident memory in MB (2**20 bytes)."""
        return self.process.memory_info().rss / 2**20


@contextmanager
def switchyard(data_dir: Path, *, models: Path | None = None, samples: bool = True) -> Generator[Measured]:
    """A Switchyard server, with the samples indexed unless told otherwise."""
    environment = server_environment(data_dir, models) | {"SWITCHYARD_SAMPLES": "on" if samples else "off"}
    port = _free_port()
    command = [sys.executable, "-m", "server.cli.main", "serve", "--port", str(port)]
    with _running(command, environment, lambda: f"http://127.0.0.1:{port}", "/readyz") as measured:
        yield measured


def server_environment(data_dir: Path, models: Path | None) -> dict[str, str]:
    """The environment of a server under measurement: every question costs what a new one does, none waits."""
    measured = {"SWITCHYARD_ANSWER_CACHE": "off", "SWITCHYARD_REVIEW": "off"}
    environment = {**os.environ, **measured, "SWITCHYARD_DATA_DIR": str(data_dir)}
    if models is not None:
        environment["SWITCHYARD_MODELS"] = str(models)
    return environment


def merge_fraud_adapter(data_dir: Path) -> None:
    """Let a server merge its fraud adapter, which it does once after its first start, beside other work."""
    adapter = packaged_adapter("fraud")
    if adapter is None:
        return
    manifest = AdapterManifest.model_validate_json((adapter / MANIFEST_NAME).read_bytes())
    files = MergedFiles(merged_folder(data_dir))
    if files.find(manifest) is not None:
        return
    with switchyard(data_dir):
        deadline = time.monotonic() + _MERGE_TIMEOUT_S
        while files.find(manifest) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no merged model in {files.folder} after {_MERGE_TIMEOUT_S} s")
            time.sleep(0.2)


@contextmanager
def fake_model() -> Generator[Measured]:
    """The endpoint that answers at once."""
    port = _free_port()
    command = [sys.executable, "-m", "eval.bench.fake_model", str(port)]
    with _running(command, os.environ, lambda: f"http://127.0.0.1:{port}", "/requests") as measured:
        yield measured


@contextmanager
def raw_model() -> Generator[Measured]:
    """llama.cpp's server with the same model and settings as the embedded endpoint, and nothing around it."""
    port = _free_port()
    command = [sys.executable, "-m", "eval.bench.raw_model", str(port)]
    with _running(command, os.environ, lambda: f"http://127.0.0.1:{port}", "/health") as measured:
        yield measured


@contextmanager
def _running(
    command: list[str], environment: Mapping[str, str], url: Callable[[], str], probe: str
) -> Generator[Measured]:
    started = time.perf_counter()
    # A file, since a pipe that nobody reads stops a child that says much.
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, env=dict(environment), stdout=subprocess.DEVNULL, stderr=said)
        try:
            _wait(child, url() + probe, said)
            yield Measured(url(), time.perf_counter() - started, psutil.Process(child.pid))
        finally:
            child.terminate()
            try:
                child.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _wait(child: subprocess.Popen[bytes], url: str, said: IO[bytes]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    # One client: making one for every probe would take a whole core from the process that starts.
    with httpx.Client(timeout=2) as client:
        while time.monotonic() < deadline:
            if child.poll() is not None:
                said.seek(0)
                raise RuntimeError(f"{child.args!r} ended: {said.read().decode()[-2000:]}")
            try:
                if client.get(url).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
    raise RuntimeError(f"{url} did not answer in {_START_TIMEOUT_S} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
