"""What decisions at a threshold cost on labelled rows, beside the least that any threshold would have cost there.

The threshold itself is the closed form of the costs (`Costs.threshold`): with calibrated probabilities it is the Bayes
decision, while the minimum over a few hundred rows follows their noise. The distance between the two is a check of the
calibration, not another choice.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from finetune.calibrate import Costs
from finetune.evaluation.metrics import Scored

_ENOUGH_POSITIVES = 100
_TOLERATED = 1.1


@dataclass(frozen=True)
class ThresholdCost:
    """Costs per row, in the unit of `Costs`; `positives` is how many rows of that label they were counted on."""

    missed: float
    alarm: float
    threshold: float
    expected_cost: float
    lowest_cost: float
    lowest_cost_threshold: float
    positives: int

    @property
    def warning(self) -> str | None:
        """What to tell where another threshold would have cost over 10% less, on at least 100 positive rows."""
        if self.positives < _ENOUGH_POSITIVES or self.expected_cost <= _TOLERATED * self.lowest_cost:
            return None
        return (
            f"On the calibration rows the threshold {self.threshold:.3f}, which follows from the costs, costs "
            f"{self.expected_cost:.4f} a row and {self.lowest_cost_threshold:.3f} would cost {self.lowest_cost:.4f}: "
            "the probabilities are not calibrated well there. Look at evaluate's reliability plot before you use it."
        )

    def to_dict(self) -> dict[str, float | int | str | None]:
        """The figures and the warning, for reports."""
        return {**asdict(self), "warning": self.warning}


def threshold_cost(scored: Scored, costs: Costs, threshold: float, rate: float | None = None) -> ThresholdCost | None:
    """Count on rows of two labels; None without a row of each. `rate` is the share of positives in use, if another."""
    positive = np.sort(scored.probabilities[scored.truth == 0, 0])
    negative = np.sort(scored.probabilities[scored.truth == 1, 0])
    if scored.classes > 2 or not len(positive) or not len(negative):
        return None
    share = len(positive) / len(scored.truth) if rate is None else rate
    # At the first candidate everything is flagged, at 1 nothing but certainty.
    candidates = np.unique(np.concatenate([scored.probabilities[:, 0], [threshold, 1.0]]))
    missed = np.searchsorted(positive, candidates) / len(positive)
    alarms = 1 - np.searchsorted(negative, candidates) / len(negative)
    by_candidate = share * costs.missed * missed + (1 - share) * costs.alarm * alarms
    chosen = int(np.searchsorted(candidates, threshold))
    # Of equally cheap ones the nearest: a tie is no reason to doubt the threshold.
    cheapest = np.flatnonzero(by_candidate <= by_candidate.min() + 1e-12)
    lowest = int(cheapest[np.argmin(np.abs(candidates[cheapest] - threshold))])
    return ThresholdCost(
        missed=costs.missed,
        alarm=costs.alarm,
        threshold=threshold,
        expected_cost=float(by_candidate[chosen]),
        lowest_cost=float(by_candidate[lowest]),
        lowest_cost_threshold=float(candidates[lowest]),
        positives=len(positive),
    )
