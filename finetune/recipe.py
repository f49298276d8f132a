"""Training settings: YAML recipes, checked once."""

from __future__ import annotations

import math
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finetune.errors import RecipeError

DEFAULT_RECIPE = "default"
_RARE = 0.15
_NEGATIVES = 4.0
_MOST_EPOCHS = 4.0


class Recipe(BaseModel):
    """How an adapter is trained. Units: tokens, rows, epochs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rank: int = Field(default=16, ge=1, le=256)
    alpha: float = Field(default=32, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    rslora: bool = False
    first_layer: int = Field(default=0, ge=0, description="Layers below stay frozen and are computed only once.")
    epochs: float = Field(default=3, gt=0)
    batch_size: int = Field(default=16, ge=1)
    accumulation: int = Field(default=1, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    warmup: float = Field(default=0.1, ge=0, lt=1, description="Share of the steps.")
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    weight_decay: float = Field(default=0.0, ge=0)
    clip_norm: float = Field(default=1.0, gt=0)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    four_bit: bool = Field(default=False, description="QLoRA: base weights in 4-bit NF4.")
    negatives_per_positive: Annotated[float, Field(gt=0)] | Literal["auto"] | None = Field(
        default="auto", description="Drawn anew in each epoch. auto: 4 where positives are rare, else all."
    )
    patience: int = Field(default=3, ge=1, description="Epochs without a better validation PR-AUC before it stops.")
    average: bool = Field(default=False, description="Average the adapters of the last epochs, kept if better.")
    general_share: float = Field(
        default=0.0, ge=0, le=0.5, description="Share of general text among a batch's rows, against forgetting."
    )
    teacher: bool | Literal["auto"] = Field(
        default="auto",
        description="The best simple model of the rows gives the targets at first, the labels at last. auto: where "
        "positives are rare.",
    )
    numbers: Literal["levels", "raw"] = Field(
        default="levels", description="In rows of one template, each number as its level among the training rows."
    )
    max_length: int = Field(default=512, ge=16)
    seed: int = 0
    threads: int | None = Field(default=None, ge=1)

    @property
    def general_per_row(self) -> float:
        """General texts for each row of the task."""
        return self.general_share / (1 - self.general_share)

    def for_rows(self, positives: int, negatives: int) -> Recipe:
        """The recipe with `auto` decided for rows of two labels.

        Where less than 15% are positive, a teacher helps, and an epoch has four negatives for each. There are then
        more epochs, up to four times as many, so that a run takes as many steps or fewer, and patience grows with them.
        """
        rare = positives < _RARE * (positives + negatives)
        if self.teacher == "auto":
            return self.model_copy(update={"teacher": rare}).for_rows(positives, negatives)
        if self.negatives_per_positive != "auto":
            return self
        if not rare:
            return self.model_copy(update={"negatives_per_positive": None})
        longer = min(_MOST_EPOCHS, (positives + negatives) / (positives * (1 + _NEGATIVES)))
        epochs = max(1, math.floor(self.epochs * longer))
        return self.model_copy(
            update={
                "negatives_per_positive": _NEGATIVES,
                "epochs": epochs,
                "patience": max(self.patience, math.ceil(epochs / 2)),
            }
        )


def load_recipe(path: Path | None, **changes: Any) -> Recipe:
    """A recipe file, or a packaged recipe by name (`default`, `quick`, `qlora`), with `changes` (None: keep) over it.

    Raises RecipeError when there is none or it does not fit.
    """
    chosen = path or Path(DEFAULT_RECIPE)
    packaged = resources.files("finetune").joinpath("recipes", f"{chosen.name}.yaml")
    if path is not None and path.is_file():
        text = path.read_text("utf-8")
    elif packaged.is_file() and chosen.parent == Path():
        text = packaged.read_text("utf-8")
    else:
        raise RecipeError(f"There is no recipe {chosen}. Packaged ones: {', '.join(recipe_names())}.")
    try:
        settings: object = yaml.safe_load(text) or {}
        given = {key: value for key, value in changes.items() if value is not None}
        return Recipe.model_validate({**settings, **given} if isinstance(settings, dict) else settings)
    except yaml.YAMLError as error:
        raise RecipeError(f"The recipe {chosen} is not valid YAML: {error}") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise RecipeError(f"The recipe {chosen} does not fit: {problems}") from None


def recipe_names() -> list[str]:
    """The packaged recipes."""
    return sorted(Path(file.name).stem for file in resources.files("finetune").joinpath("recipes").iterdir())
