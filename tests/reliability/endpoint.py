"""The fake model in a process of its own: `python -m tests.reliability.endpoint FILE` writes its address to FILE.

A question may say how its answer comes, as in "... charge? (40x15)": 40 words, 15 ms apart.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.process import ROOT
from tests.fakes.endpoint import FakeEndpoint, Reply, fake_endpoint, scripted
from tests.server.site import ANSWER

_PACED = re.compile(r"\((\d+)x(\d+)\)")
_START_S = 60


def paced(words: int, pace_ms: int) -> str:
    """What to add to a question for such an answer."""
    return f"({words}x{pace_ms})"


def script(body: dict[str, Any]) -> Reply:
    """As the well-behaved model, but where the question sets the pace."""
    said = _PACED.search(body["messages"][-1]["content"])
    if said is None:
        return scripted(body)
    words, pace_ms = map(int, said.groups())
    # Every word is another one: a model that repeats itself is stopped.
    more = " ".join(f"word{number}" for number in range(max(0, words - len(ANSWER.split()) - 1)))
    return Reply(f"{ANSWER.rstrip('.')} [1]. {more}", pace_s=pace_ms / 1000)


@contextmanager
def model_process(folder: Path) -> Iterator[FakeEndpoint]:
    """Starts the endpoint and yields where it is; its own requests stay in its process."""
    address = folder / "model.url"
    child = subprocess.Popen([sys.executable, "-m", "tests.reliability.endpoint", str(address)], cwd=ROOT)
    try:
        deadline = time.monotonic() + _START_S
        while not address.exists():
            assert child.poll() is None, "the fake model ended"
            assert time.monotonic() < deadline, "the fake model did not start"
            time.sleep(0.02)
        yield FakeEndpoint(url=address.read_text(encoding="utf-8"))
    finally:
        child.kill()
        child.wait()


def main(address: Path) -> None:
    """Serve until killed."""
    with fake_endpoint() as endpoint:
        endpoint.script = script
        draft = address.with_suffix(".draft")
        draft.write_text(endpoint.url, encoding="utf-8")
        draft.rename(address)
        signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
