"""`switchyard` that tells how many asyncio tasks it has; the server's own code knows nothing of it.

Started as `python -m tests.reliability.inside serve`. At SIGUSR2 it writes the count, with the tasks' names, to the
file that `TASKS_FILE` names.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import time
from collections import Counter
from pathlib import Path
from types import FrameType

from server.cli.main import main

FILE_VARIABLE = "TASKS_FILE"
_NUMBER = re.compile(r"[0-9a-f-]{36}|\d+")
_ANSWER_S = 10.0


def tasks_of(pid: int, file: Path) -> Counter[str]:
    """The tasks of a process that was started here, by name; numbers and ids in names count as the same. Blocks."""
    file.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR2)
    deadline = time.monotonic() + _ANSWER_S
    while not file.exists():
        assert time.monotonic() < deadline, "the server does not tell its tasks"
        time.sleep(0.01)
    return Counter(json.loads(file.read_text(encoding="utf-8")))


def _tell(_signal: int, _frame: FrameType | None) -> None:
    # In the main thread, where the loop runs.
    found = Counter(_NUMBER.sub("*", task.get_name()) for task in asyncio.all_tasks(asyncio.get_running_loop()))
    target = Path(os.environ[FILE_VARIABLE])
    draft = target.with_suffix(".draft")
    draft.write_text(json.dumps(found), encoding="utf-8")
    draft.rename(target)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR2, _tell)
    main()
