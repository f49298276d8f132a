"""The server process that is struck: started, watched until it dies or stands still, and timed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from agent.settings import Settings
from tests.crash.points import PLAN_VARIABLE, Plan
from tests.e2e.process import ROOT, environment_of

_START_S = 300
_LOOKS_S = 0.01


@dataclass
class Victim:
    """A server process and where it listens."""

    settings: Settings
    process: subprocess.Popen[bytes]
    plan_file: Path
    started: float
    url: str = ""

    def ready(self) -> bool:
        """Wait until the server is ready; returns False if it dies or stands still before."""
        deadline = time.monotonic() + _START_S
        while not self.stopped():
            assert time.monotonic() < deadline, "the server did not get ready"
            if self._answers():
                return True
            time.sleep(_LOOKS_S)
        return False

    def arm(self, plan: Plan) -> None:
        """Let a plan be in force."""
        plan.write(self.plan_file)
        while self.plan_file.exists() and not self.stopped():
            time.sleep(_LOOKS_S)

    def struck(self, patience_s: float) -> bool:
        """Wait until the process is dead or stands still; returns False if it is still well after that time."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if self.stopped():
                return True
            time.sleep(_LOOKS_S)
        return False

    def stopped(self) -> bool:
        """Whether the process is dead or stands still."""
        if self.process.poll() is not None:
            return True
        try:
            return psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            return True

    def bury(self) -> None:
        """kill -9, whatever became of it."""
        self.process.kill()
        self.process.wait()
        self.plan_file.unlink(missing_ok=True)

    def _answers(self) -> bool:
        file = self.settings.server_file
        if not file.exists() or not (text := file.read_text(encoding="utf-8")):
            return False
        try:
            state = json.loads(text)
        except json.JSONDecodeError:
            return False  # half written
        if state["pid"] != self.process.pid:
            return False
        self.url = state["url"]
        try:
            return httpx.get(f"{self.url}/readyz", trust_env=False).is_success
        except httpx.TransportError:
            return False


def start(settings: Settings, plan: Plan | None = None) -> Victim:
    """Start a server, with a plan in force from its first moment on if one is given."""
    plan_file = settings.data_dir.with_suffix(".plan")
    plan_file.unlink(missing_ok=True)
    if plan is not None:
        plan.write(plan_file)
    command = [sys.executable, "-m", "tests.crash.points", "serve", "--port", "0"]
    environment = environment_of(settings) | {PLAN_VARIABLE: str(plan_file)}
    with settings.data_dir.with_suffix(".log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    return Victim(settings, process, plan_file, time.monotonic())
