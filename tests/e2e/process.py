"""`switchyard serve` in a process of its own, to be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from agent.settings import Settings
from tests.server.site import Site

ROOT = Path(__file__).parents[2]
SWITCHYARD = ("-c", "from server.cli.main import main; main()")
_READY_S = 120
_GIVEN = (
    *("data_dir", "samples", "answer_cache", "review", "auth", "max_concurrent_runs"),
    *("requests_per_minute", "tokens_per_day", "usd_per_day", "usd_per_month"),
)


@dataclass(frozen=True)
class Served:
    """The process and the server in it."""

    process: subprocess.Popen[bytes]
    site: Site
    log: Path

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def terminate(self, patience_s: float) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience_s)


def command(*arguments: str) -> list[str]:
    """The command line of `switchyard`."""
    return [sys.executable, *SWITCHYARD, *arguments]


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment in which `switchyard` has these settings."""
    given = {f"SWITCHYARD_{name.upper()}": str(getattr(settings, name)) for name in _GIVEN}
    for name in ("models", "audit_key"):
        if (file := getattr(settings, name)) is not None:
            given[f"SWITCHYARD_{name.upper()}"] = str(file)
    if settings.database_url is not None:
        given["SWITCHYARD_DATABASE_URL"] = settings.database_url.get_secret_value()
    return os.environ | given


@contextmanager
def served(settings: Settings, *, ready: bool = True, start: Sequence[str] = SWITCHYARD) -> Iterator[Served]:
    """Starts the server on a free port and yields it once it is `ready`, or answers at all.

    `start` are the interpreter's arguments that lead to `switchyard`. A process that still runs at the end is killed.
    """
    log = settings.data_dir.with_suffix(".log")
    settings.server_file.unlink(missing_ok=True)
    environment = environment_of(settings)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *start, "serve", "--port", "0"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = _wait_until_up(settings, process, log, "readyz" if ready else "livez")
        with httpx.Client(base_url=f"{url}/api/v1", timeout=60, trust_env=False) as http:
            yield Served(process, Site(url, settings, http), log)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _wait_until_up(settings: Settings, process: subprocess.Popen[bytes], log: Path, probe: str) -> str:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and process.poll() is None:
        if settings.server_file.exists() and (text := settings.server_file.read_text()):
            url = json.loads(text)["url"]
            try:
                if httpx.get(f"{url}/{probe}", trust_env=False).is_success:
                    return url
            except httpx.TransportError:
                pass
        time.sleep(0.1)
    raise AssertionError(f"the server did not get ready:\n{log.read_text(errors='replace')[-3000:]}")
