"""From rows to what the trained layers read: split, encoded, checked, and the frozen layers' work done once."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from finetune.base import Base, load_tokenizer
from finetune.calibrate import Costs, check_deployed_rate
from finetune.encoding import Encoded, encode, first_token
from finetune.errors import RecipeError, RowsError, TrainingError
from finetune.label_model import Inputs, LowerLayers, token_inputs
from finetune.labels import LabelSpace, find_classes, make_prompt
from finetune.recipe import Recipe
from finetune.rows import Row, rows_sha256
from finetune.splits import hold_out
from finetune.training.general import GeneralText, general_texts
from finetune.training.teacher import Teacher, find_teacher
from finetune.training.trainer import Split
from tools.fraud.number_levels import fit_number_levels
from tools.fraud.prompt import LabelPrompt

CHECKPOINTS = "checkpoints"
_HELD_OUT = 0.15
_CALIBRATION = 0.5
_PARTS = ("train", "early_stopping", "calibration", "general")


@dataclass(frozen=True)
class Job:
    """What to train on and where to put it. Without `validation` rows a part of `rows` is held out."""

    task: str
    rows: Sequence[Row]
    validation: Sequence[Row] | None
    base: Base
    recipe: Recipe
    out: Path
    positive: str | None = None
    costs: Costs = field(default_factory=Costs)
    deployed_rate: float | None = None
    max_steps: int | None = None
    tracking: Path | None = None

    @property
    def checkpoints(self) -> Path:
        """Where the run keeps what it needs to go on after a stop."""
        return self.out / CHECKPOINTS


@dataclass(frozen=True)
class Prepared:
    """A job's rows, ready to train on, and its recipe with everything decided for them."""

    recipe: Recipe
    prompt: LabelPrompt
    labels: LabelSpace
    label_ids: list[int]
    data_sha256: str
    train: Split
    stop: Split
    calibration: Split
    tokens_per_row: float
    general: GeneralText | None = None
    teacher: Teacher | None = None


def prepare(job: Job, model: Any) -> Prepared:
    """Split, encode and claim the output folder; split the frozen layers off `model` and run them.

    Raises RowsError (unusable or over-length rows) before anything is computed, RecipeError, and TrainingError when
    `job.out` holds another run.
    """
    recipe = job.recipe
    if recipe.first_layer >= model.config.num_hidden_layers:
        raise RecipeError(
            f"first_layer={recipe.first_layer} leaves nothing to train: the base has "
            f"{model.config.num_hidden_layers} layers."
        )
    tokenizer = load_tokenizer(job.base)
    classes = find_classes((row.label for row in job.rows), job.positive)
    if job.deployed_rate is not None:
        check_deployed_rate(job.deployed_rate, len(classes))
    prompt, labels = make_prompt(job.task, classes, lambda word: first_token(tokenizer, word))
    parts = _split(job)
    _check_labels(parts[1])
    if recipe.numbers == "levels":
        prompt = replace(prompt, levels=fit_number_levels([row.text for row in parts[0]]))
    encoded = [encode(tokenizer, prompt, [row.text for row in part], recipe.max_length) for part in parts]
    indices = [[labels.index(row.label) for row in part] for part in parts]
    decided = _decided(recipe, labels, indices[0])
    data_sha256 = rows_sha256(row for part in parts for row in part)
    _claim(job, data_sha256)
    general = _general_texts(job, model, tokenizer)
    inputs = _inputs(job, model, [*encoded, Encoded([], general)] if general else encoded)
    return Prepared(
        decided,
        prompt,
        labels,
        [first_token(tokenizer, word) for word in labels.words],
        data_sha256,
        *(Split(part, numbers) for part, numbers in zip(inputs, indices, strict=False)),
        tokens_per_row=float(np.mean(encoded[0].lengths)) + len(encoded[0].prefix),
        general=GeneralText(inputs[-1], general, recipe.general_per_row) if general else None,
        teacher=find_teacher(parts[0], labels, prompt.levels, recipe.seed) if decided.teacher else None,
    )


def _decided(recipe: Recipe, labels: LabelSpace, indices: Sequence[int]) -> Recipe:
    if not labels.binary:
        negatives = None if recipe.negatives_per_positive == "auto" else recipe.negatives_per_positive
        return recipe.model_copy(update={"teacher": False, "negatives_per_positive": negatives})
    positives = indices.count(0)
    return recipe.for_rows(positives, len(indices) - positives)


def _general_texts(job: Job, model: Any, tokenizer: Any) -> list[list[int]]:
    if not job.recipe.general_share:
        return []
    return general_texts(model, tokenizer, job.recipe.seed, job.checkpoints / "general.json")


def _split(job: Job) -> tuple[list[Row], list[Row], list[Row]]:
    seed = job.recipe.seed
    kept, held = (list(job.rows), list(job.validation)) if job.validation else hold_out(job.rows, _HELD_OUT, seed)
    return kept, *hold_out(held, _CALIBRATION, seed)


def _check_labels(stop: Sequence[Row]) -> None:
    if len({row.label for row in stop}) < 2:
        raise RowsError(
            f"The {len(stop)} rows that decide when to stop have one label only. Give more rows of the rarer label, or "
            "validation rows with both (--val).",
            code="too_few_rows",
        )


def _claim(job: Job, data_sha256: str) -> None:
    """Mark the folder as this run's; a folder with another run's checkpoints is refused rather than resumed."""
    facts = {"recipe": job.recipe.model_dump(), "data": data_sha256, "base": job.base.sha256, "task": job.task}
    identity = json.dumps(facts, sort_keys=True)
    mark = job.checkpoints / "run.json"
    if mark.is_file() and mark.read_text("utf-8") != identity:
        raise TrainingError(
            f"{job.out} holds the checkpoints of another run (other rows, recipe or base). "
            "Choose another --out, or delete that folder to start afresh.",
            code="another_run",
        )
    mark.parent.mkdir(parents=True, exist_ok=True)
    partial = mark.with_suffix(".partial")
    partial.write_text(identity, encoding="utf-8")
    partial.rename(mark)


def _inputs(job: Job, model: Any, encoded: Sequence[Encoded]) -> list[Inputs]:
    if not job.recipe.first_layer:
        return [token_inputs(part) for part in encoded]
    lower = LowerLayers(model, job.recipe.first_layer)
    return [_lower(lower, part, job.checkpoints / f"{name}.lower") for name, part in zip(_PARTS, encoded, strict=False)]


def _lower(lower: LowerLayers, encoded: Encoded, kept: Path) -> Inputs:
    """The frozen layers' output, kept in a file until the run is finished: a resumed run has it at once."""
    if kept.is_file():
        tensors = load_file(kept)
        return Inputs(tensors["prefix"], list(torch.split(tensors["rows"], encoded.lengths)))
    inputs = lower.run(encoded, progress=lambda done, of: print(f"frozen layers: {done}/{of} rows", file=sys.stderr))
    partial = kept.with_suffix(".partial")
    save_file({"prefix": inputs.prefix, "rows": torch.cat(inputs.rows)}, partial)
    partial.rename(kept)
    return inputs


def forget_lower(job: Job) -> None:
    """Delete the frozen layers' output, hundreds of megabytes that a finished run does not need."""
    for name in _PARTS:
        (job.checkpoints / f"{name}.lower").unlink(missing_ok=True)
