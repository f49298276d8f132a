"""Which checkpoint a run goes on from after a kill."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from transformers.trainer_utils import get_last_checkpoint

_STATE_NAME = "trainer_state.json"


def last_whole_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint that was written to its end, None where there is none; those that a kill cut off go."""
    for checkpoint in folder.glob("checkpoint-*"):
        if not _is_whole(checkpoint):
            shutil.rmtree(checkpoint)
    return get_last_checkpoint(str(folder))


def _is_whole(checkpoint: Path) -> bool:
    # The trainer writes its state last.
    try:
        json.loads((checkpoint / _STATE_NAME).read_bytes())
    except (OSError, ValueError):
        return False
    return True
