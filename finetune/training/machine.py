"""What a run used: memory, and the commit of the code."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import torch

_PEAK_RESET = Path("/proc/self/clear_refs")


class Memory:
    """Peak memory of the process, or of the GPU where there is one."""

    def __init__(self) -> None:
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        elif _PEAK_RESET.exists():
            _PEAK_RESET.write_text("5")

    def peak_mb(self) -> int:
        """Megabytes at the highest point since the start."""
        if torch.cuda.is_available():
            return round(torch.cuda.max_memory_allocated() / 1e6)
        unit = 1 if sys.platform == "darwin" else 1024
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)


def git_commit() -> str | None:
    """The checked-out commit of this code, None outside a repository."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()
