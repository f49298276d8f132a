"""A real Phoenix in a process of its own, and what it knows of a trace."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.phoenix import PROJECT

_START_S = 150
_STOP_S = 20
_ARRIVAL_S = 60


@dataclass(frozen=True)
class Phoenix:
    """A running Phoenix."""

    url: str

    def spans(self, trace_id: str) -> list[dict[str, Any]]:
        """The spans of a trace as Phoenix stored them, once its root span has arrived: it is the last to end."""
        deadline = time.monotonic() + _ARRIVAL_S
        while time.monotonic() < deadline:
            spans = [span for span in self._all_spans() if span["context"]["trace_id"] == trace_id]
            if any(span["parent_id"] is None for span in spans):
                return spans
            time.sleep(0.3)
        raise AssertionError(f"trace {trace_id} did not arrive")

    def _all_spans(self) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.url}/v1/projects/{PROJECT}/spans", params={"limit": 1000}, trust_env=False)
        return answer.json()["data"] if answer.status_code == 200 else []


@contextmanager
def phoenix_server(folder: Path) -> Iterator[Phoenix]:
    """Starts Phoenix with its database in `folder`; skips where it is not installed."""
    if find_spec("phoenix.server") is None:
        pytest.skip("Phoenix is missing: .venv/bin/pip install --no-deps -r locks/dev.txt")
    port = free_port()
    environment = os.environ | {
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
    }
    log = folder / "phoenix.log"
    command = [Path(sys.executable).with_name("phoenix"), "serve"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, process, log)
        yield Phoenix(url)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/healthz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.3)
    raise AssertionError(f"Phoenix did not get ready:\n{log.read_text(errors='replace')[-3000:]}")
