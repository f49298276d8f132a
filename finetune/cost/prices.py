"""Prices and volumes of a company, read from YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tools.errors import InputError

Way = Literal["tuned", "prompt", "rules"]
WAYS: tuple[Way, ...] = ("tuned", "prompt", "rules")
DEFAULT_PRICES = Path(__file__).with_name("prices.yaml")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Work(_Section):
    """What making an adapter takes: labels, machine hours and engineers' hours."""

    labelled_rows: int = Field(default=0, ge=0)
    labelling_per_row: float = Field(default=0, ge=0)
    training_hours: float = Field(default=0, ge=0)
    training_per_hour: float = Field(default=0, ge=0)
    engineering_hours: float = Field(default=0, ge=0)

    def cost(self, engineer_per_hour: float) -> float:
        """US dollars for all of it."""
        labels = self.labelled_rows * self.labelling_per_row
        return labels + self.training_hours * self.training_per_hour + self.engineering_hours * engineer_per_hour


class RequestPrice(_Section):
    """A request's price: stated, or per 1,000 tokens of input and output."""

    per_request: float | None = Field(default=None, ge=0)
    per_1k_input: float | None = Field(default=None, ge=0)
    per_1k_output: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_way_to_pay(self) -> RequestPrice:
        if (self.per_request is None) == (self.per_1k_input is None):
            raise ValueError("state either per_request, or per_1k_input and per_1k_output")
        return self

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """US dollars for one request of this many tokens."""
        if self.per_request is not None:
            return self.per_request
        return (input_tokens * (self.per_1k_input or 0) + output_tokens * (self.per_1k_output or 0)) / 1000


class Quality(_Section):
    """How well each way decides (None: not known), and what mistakes cost.

    `prompt_is_served_base`: the prompted model is the adapter's own base, so that a report's base model tells how well
    prompting decides. `measured_on` names the report that shares were taken from.
    """

    fraud_rate: float = Field(default=0.001, gt=0, lt=1)
    loss_per_missed_fraud: float = Field(default=0, ge=0)
    cost_per_false_alarm: float = Field(default=0, ge=0)
    caught: dict[Way, float | None] = Field(default_factory=dict[Way, float | None])
    false_alarms: dict[Way, float | None] = Field(default_factory=dict[Way, float | None])
    prompt_is_served_base: bool = False
    measured_on: str | None = None

    @model_validator(mode="after")
    def _rates_are_shares(self) -> Quality:
        for rate in [*self.caught.values(), *self.false_alarms.values()]:
            if rate is not None and not 0 <= rate <= 1:
                raise ValueError(f"{rate} is no share between 0 and 1")
        return self


class Prices(_Section):
    """Everything the comparison is computed from, in US dollars."""

    engineer_per_hour: float = Field(default=0, ge=0)
    one_time: Work
    retraining: Work = Work()
    retrainings_per_year: float = Field(default=0, ge=0)
    rule_changes_per_year: float = Field(default=0, ge=0)
    prompt_hours_per_change: float = Field(default=0, ge=0)
    rules_hours_per_change: float = Field(default=0, ge=0)
    requests_per_day: float = Field(gt=0)
    days_per_year: int = Field(default=365, ge=1, le=366)
    prompt: RequestPrice
    tuned: RequestPrice
    rules: RequestPrice = RequestPrice(per_request=0)
    quality: Quality = Quality()


def load_prices(path: Path = DEFAULT_PRICES) -> Prices:
    """Read a price file. Raises InputError naming the file and each field that is wrong."""
    try:
        raw: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The price file {path.name} cannot be read.", file=path.name) from error
    except yaml.YAMLError as error:
        raise InputError(f"The price file {path.name} is no YAML: {error}.", file=path.name) from error
    if not isinstance(raw, dict):
        raise InputError(f"The price file {path.name} holds no fields.", file=path.name)
    try:
        return Prices.model_validate(cast("dict[str, object]", raw))
    except ValidationError as error:
        wrong = {".".join(map(str, item["loc"])): item["msg"] for item in error.errors()}
        listed = "; ".join(f"{name or 'file'}: {reason}" for name, reason in wrong.items())
        raise InputError(
            f"The price file {path.name} cannot be used: {listed}.", file=path.name, fields=wrong
        ) from error
