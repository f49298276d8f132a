"""A real server in a process of its own, and the command line run against whatever owns a data directory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from server.cli.main import app

POLICY = """# Dispute handling

A cardholder has 120 days from posting to dispute a charge. The case team answers within five business days.

A provisional credit is paid on day ten when the merchant has not answered.
"""
RECEIPT = Path(__file__).parents[3] / "samples" / "invoices" / "receipt-copper-ladle.txt"
_START = "from server.cli.main import main; main()"
_READY_S = 150
_STOP_S = 20

Invoke = Callable[..., Result]


@pytest.fixture(scope="session")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A document whose content questions can be asked about."""
    file = tmp_path_factory.mktemp("documents") / "dispute-handling.md"
    file.write_text(POLICY, encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def served_directory(tmp_path_factory: pytest.TempPathFactory, policy: Path) -> Iterator[Path]:
    """The data directory of a server that runs, with one document and no samples."""
    folder = tmp_path_factory.mktemp("served")
    environment = os.environ | {"SWITCHYARD_DATA_DIR": str(folder), "SWITCHYARD_SAMPLES": "off"}
    with (folder / "server.log").open("wb") as log:
        command = [sys.executable, "-c", _START, "serve", "--port", "0"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        url = _ready_address(folder, process)
        file = {"file": (policy.name, policy.read_bytes())}
        httpx.post(f"{url}/api/v1/documents", params={"wait": "true"}, files=file, timeout=60).raise_for_status()
        yield folder
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture
def served(served_directory: Path) -> Invoke:
    """Runs a command while the server owns the data directory."""
    environment = {"SWITCHYARD_DATA_DIR": str(served_directory), "SWITCHYARD_SAMPLES": "off"}

    def invoke(*arguments: str, **options: str) -> Result:
        return CliRunner().invoke(app, list(arguments), env=environment, **options)

    return invoke


def _ready_address(folder: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + _READY_S
    address = folder / "server.json"
    while time.monotonic() < deadline and process.poll() is None:
        if address.is_file():
            url: str = json.loads(address.read_bytes())["url"]
            if httpx.get(f"{url}/readyz").is_success:
                return url
        time.sleep(0.2)
    raise AssertionError(f"the server did not get ready:\n{(folder / 'server.log').read_text()[-3000:]}")


@pytest.fixture(autouse=True)
def nothing_blocks_the_event_loop() -> None:
    """Lifts the server's guard: a command has its event loop to itself and may read files on it."""
