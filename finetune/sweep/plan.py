"""What a sweep tries: stages of one setting each, and the settings of a trial."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError, model_validator

from finetune.errors import RecipeError
from finetune.recipe import Recipe

Parameter = Literal["rank", "learning_rate", "epochs", "alpha_per_rank", "batch_size"]
PARAMETERS: tuple[Parameter, ...] = ("rank", "learning_rate", "epochs", "alpha_per_rank", "batch_size")
WHOLE: frozenset[Parameter] = frozenset({"rank", "batch_size"})


class Stage(BaseModel):
    """Values of one setting, tried while the others stay."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parameter: Parameter
    values: list[PositiveFloat] = Field(min_length=1)

    @model_validator(mode="after")
    def _values_fit(self) -> Stage:
        if len(set(self.values)) < len(self.values):
            raise ValueError(f"{self.parameter} has a value twice")
        if self.parameter in WHOLE and not all(value.is_integer() for value in self.values):
            raise ValueError(f"{self.parameter} takes whole numbers")
        return self


class Plan(BaseModel):
    """Stages in their order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stages: list[Stage] = Field(min_length=1)

    def trials(self, start: Settings) -> int:
        """How many trainings the plan takes: a later stage's starting value was measured by the stage before."""
        repeated = sum(start.get(stage.parameter) in stage.values for stage in self.stages[1:])
        return sum(len(stage.values) for stage in self.stages) - repeated


@dataclass(frozen=True)
class Settings:
    """What a trial trains with; everything else is the recipe's."""

    rank: float
    learning_rate: float
    epochs: float
    alpha_per_rank: float
    batch_size: float

    def get(self, parameter: Parameter) -> float:
        """One setting."""
        return asdict(self)[parameter]

    def having(self, parameter: Parameter, value: float) -> Settings:
        """The same but for one setting."""
        return replace(self, **{parameter: value})

    def recipe(self, rest: Recipe) -> Recipe:
        """The recipe to train with. Raises RecipeError when a value is out of its range."""
        changes = {
            "rank": int(self.rank),
            "alpha": self.rank * self.alpha_per_rank,
            "learning_rate": self.learning_rate,
            "epochs": self.epochs,
            "batch_size": int(self.batch_size),
        }
        try:
            return Recipe.model_validate({**rest.model_dump(), **changes})
        except ValidationError as error:
            raise RecipeError(f"The plan's {self.name} cannot be trained: {error.errors()[0]['msg']}") from None

    @property
    def name(self) -> str:
        """Short and unique, e.g. `rank8-lr0.001-epochs3-alpha2-batch16`."""
        return (
            f"rank{self.rank:g}-lr{self.learning_rate:g}-epochs{self.epochs:g}"
            f"-alpha{self.alpha_per_rank:g}-batch{self.batch_size:g}"
        )


def settings_of(recipe: Recipe) -> Settings:
    """Where a sweep starts."""
    return Settings(
        rank=float(recipe.rank),
        learning_rate=recipe.learning_rate,
        epochs=float(recipe.epochs),
        alpha_per_rank=recipe.alpha / recipe.rank,
        batch_size=float(recipe.batch_size),
    )


def load_plan(path: Path | None) -> Plan:
    """A plan file, the packaged plan without one. Raises RecipeError when it cannot be read or does not fit."""
    try:
        text = (
            resources.files("finetune.sweep").joinpath("plan.yaml").read_text("utf-8")
            if path is None
            else path.read_text("utf-8")
        )
        return Plan.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise RecipeError(f"The plan {path} does not fit: {problems}. Settings: {', '.join(PARAMETERS)}.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecipeError(f"The plan {path} cannot be read: {error}. It is YAML with a list `stages`.") from None
