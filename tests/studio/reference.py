"""LangGraph's development server as a process, on `langgraph.json`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
_LANGGRAPH = ROOT / ".venv-studio" / "bin" / "langgraph"
_START_S = 240
_STOP_S = 30


@contextmanager
def development_server(folder: Path, **environment: str) -> Iterator[str]:
    """Its address. It runs in `folder`, where it keeps its threads; skips the test where it is not installed."""
    if not _LANGGRAPH.exists():
        pytest.skip("LangGraph's development server is missing: make .venv-studio/.studio")
    for name in ("langgraph.json", "graphs"):
        (folder / name).symlink_to(ROOT / name)
    port = _free_port()
    command = [_LANGGRAPH, "dev", "--no-browser", "--no-reload", "--port", str(port)]
    log = folder / "studio.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=_environment(folder, environment), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, process, log)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
    # It raises in the middle of a run when a node blocks the event loop, and says so.
    assert "BlockingError" not in log.read_text(errors="replace")


def _environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    return os.environ | {
        "SWITCHYARD_DATA_DIR": str(folder / "data"),
        "LANGSMITH_TRACING": "false",
        "LANGGRAPH_NO_VERSION_CHECK": "true",
        "LANGGRAPH_CLI_NO_ANALYTICS": "1",
        **more,
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/ok", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise AssertionError(f"the development server did not get ready:\n{log.read_text(errors='replace')[-3000:]}")
