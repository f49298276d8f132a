"""What an adapter folder says about itself: task, labels, prompt, base, and how logits become decisions."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from finetune.calibrate import Decision
from finetune.errors import RecipeError
from finetune.labels import LabelSpace
from tools.fraud.calibration import Calibration
from tools.fraud.number_levels import NumberLevels
from tools.fraud.prompt import LabelPrompt

TASK_NAME = "task.json"
TRAINING_NAME = "training.json"


class AdapterTask(BaseModel):
    """Saved beside the adapter's weights as `task.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    classes: tuple[str, ...]
    words: tuple[str, ...]
    prompt_version: str
    instruction: str
    base_name: str
    base_sha256: str
    base_path: str | None
    """Where the base lay in training; None for the packaged one."""
    data_sha256: str
    max_length: int
    levels: NumberLevels | None = None
    calibration: Calibration = Calibration()
    threshold: float = 0.5
    metrics: dict[str, float | None] = {}

    @property
    def prompt(self) -> LabelPrompt:
        """The instruction, label words, and how numbers are said."""
        return LabelPrompt(self.prompt_version, self.instruction, self.words, levels=self.levels)

    @property
    def labels(self) -> LabelSpace:
        """Classes and their words."""
        return LabelSpace(self.classes, self.words)

    @property
    def decision(self) -> Decision:
        """How logits become a label."""
        return Decision(self.calibration, self.threshold)

    def save(self, folder: Path) -> None:
        """Write `task.json`."""
        (folder / TASK_NAME).write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")


def load_task(folder: Path) -> AdapterTask:
    """Read `task.json`; raises RecipeError when the folder is no adapter of ours."""
    try:
        return AdapterTask.model_validate(json.loads((folder / TASK_NAME).read_text("utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise RecipeError(f"{folder} is no adapter that `train` wrote: it has no readable {TASK_NAME}.") from error
