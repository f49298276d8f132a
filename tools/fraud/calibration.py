"""From a raw logit to a probability: temperature and bias, corrected for the deployed fraud rate."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

from tools.fraud.errors import AdapterError

Method = Literal["identity", "temperature_bias"]


@dataclass(frozen=True)
class Calibration:
    """p = sigmoid((z + bias) / temperature + logit(deployed_rate) - logit(fitted_rate)).

    `fitted_rate` is the fraud rate of the split that temperature and bias were fitted on and `deployed_rate` the one
    expected in use (Saerens et al. 2002); the correction is zero unless both are given. Only `temperature_bias`,
    fitted on labelled transactions, makes calibrated probabilities; the identity leaves the model's own.
    """

    temperature: float = 1.0
    bias: float = 0.0
    fitted_rate: float | None = None
    deployed_rate: float | None = None
    method: Method = "identity"

    def __post_init__(self) -> None:
        rates = [rate for rate in (self.fitted_rate, self.deployed_rate) if rate is not None]
        if not (math.isfinite(self.temperature) and self.temperature > 0 and math.isfinite(self.bias)):
            raise ValueError("temperature must be positive and finite, bias finite")
        if not all(0 < rate < 1 for rate in rates):
            raise ValueError("fraud rates must lie strictly between 0 and 1")

    @property
    def calibrated(self) -> bool:
        """Whether the probability was fitted to labelled transactions."""
        return self.method == "temperature_bias"

    def probability(self, z: float) -> float:
        """Probability of fraud for a raw logit."""
        return sigmoid((z + self.bias) / self.temperature + self._prior_shift())

    def to_json(self) -> str:
        """The calibration as a JSON object."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """Read what `to_json` wrote; raises AdapterError for anything else."""
        try:
            raw: Any = json.loads(text)
            return cls(**cast("dict[str, Any]", raw))
        except (TypeError, ValueError) as error:
            raise AdapterError("The calibration is not readable.") from error

    def _prior_shift(self) -> float:
        if self.fitted_rate is None or self.deployed_rate is None:
            return 0.0
        return logit(self.deployed_rate) - logit(self.fitted_rate)


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow."""
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    return math.exp(x) / (1 + math.exp(x))


def logit(p: float) -> float:
    """log(p / (1 - p))."""
    return math.log(p) - math.log1p(-p)
