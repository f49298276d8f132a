"""How an adapter stands against each baseline of its report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from finetune.evaluation.significance import unpaired_differences

NAMES = {
    "majority": "the majority class",
    "tfidf_lr": "TF-IDF + logistic regression",
    "numbers_lr": "logistic regression on the numbers",
    "rules": "the company's rules",
    "gradient_boosting": "gradient boosting on the fields",
    "base_model": "the base model zero-shot",
    "base_few_shot": "the base model with rules and examples",
}
"""The baselines that `evaluate` knows, in words."""


@dataclass(frozen=True)
class Standing:
    """The adapter against one baseline: McNemar's p of the decisions and, by metric, adapter minus baseline.

    `differences` have `difference` and `interval` (95%). `paired`: the interval is a bootstrap over the same rows; else
    it was put together from two intervals and is wider.
    """

    baseline: str
    mcnemar_p: float
    differences: Mapping[str, Mapping[str, Any]]
    paired: bool

    @property
    def name(self) -> str:
        """The baseline in words."""
        return NAMES.get(self.baseline, self.baseline)


def standings(report: Mapping[str, Any]) -> list[Standing]:
    """The adapter against every baseline of a report, also of one that an earlier `evaluate` wrote."""
    return [
        Standing(
            name,
            baseline["mcnemar_p"],
            baseline.get("differences") or unpaired_differences(report, baseline),
            "differences" in baseline,
        )
        for name, baseline in report["baselines"].items()
    ]
