"""The real server in a process of its own, on a free port and an empty data directory."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
READY_S = 150
STOP_S = 20


@contextmanager
def serve(data_dir: Path) -> Iterator[str]:
    """Starts `switchyard serve` with the samples indexed and yields its base URL once it is ready."""
    port = _free_port()
    log = data_dir.with_suffix(".log")
    start = "from server.cli.main import main; main()"
    command = [sys.executable, "-c", start, "serve", "--host", "127.0.0.1", "--port", str(port)]
    # Tests ask the same question again, and one stops the run in between.
    own = {"SWITCHYARD_DATA_DIR": str(data_dir), "SWITCHYARD_SAMPLES": "on", "SWITCHYARD_ANSWER_CACHE": "off"}
    environment = os.environ | own
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, process, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"{url}/readyz"):
                return
        except (URLError, ConnectionError):
            time.sleep(0.3)
    raise AssertionError(f"the server did not get ready:\n{log.read_text(errors='replace')[-3000:]}")
