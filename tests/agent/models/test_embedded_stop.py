"""How the embedded server ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.model


def test_a_server_that_has_only_just_started_can_be_stopped() -> None:
    # On one core llama.cpp's loop begins late; the interpreter would stand still, so a process of its own is watched.
    program = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from agent.models.catalog import EndpointConfig\n"
        "from agent.models.embedded import EmbeddedServer\n"
        "from agent.models.files import LANGUAGE_MODEL\n"
        "small = EndpointConfig(kind='embedded', context=512, parallel=1, threads=1)\n"
        "for _ in range(5): EmbeddedServer(LANGUAGE_MODEL.locate(), small).close()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=150)
