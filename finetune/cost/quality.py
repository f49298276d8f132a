"""Shares of caught fraud and of false alarms, out of an evaluation's report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from finetune.cost.prices import Quality, Way
from tools.errors import InputError

_PROMPTED = ("base_few_shot", "base_model")
"""The report's baselines that a prompted model could be, the best informed first."""


def quality_of_report(path: Path, assumed: Quality) -> Quality:
    """The assumed quality with the shares that the report has: its adapter's, its prompted base model's, its rules'.

    Raises InputError where the file is no report of a two-class evaluation.
    """
    try:
        raw: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"The report {path.name} cannot be read.", file=path.name) from error
    if not isinstance(raw, Mapping) or not _usable(cast("Mapping[str, Any]", raw)):
        raise InputError(
            f"{path.name} is no report of `evaluate` with n, accuracy, precision and recall.", file=path.name
        )
    report = cast("Mapping[str, Any]", raw)
    baselines = cast("Mapping[str, Any]", report.get("baselines") or {})
    prompted = next((baselines[name] for name in _PROMPTED if name in baselines), None)
    found: dict[Way, Mapping[str, Any] | None] = {
        "tuned": report,
        "prompt": prompted,
        "rules": baselines.get("rules"),
    }
    caught, alarmed = dict(assumed.caught), dict(assumed.false_alarms)
    for way, metrics in found.items():
        if metrics is not None and _usable({"n": report["n"], **metrics}):
            caught[way] = metrics["recall"]
            alarmed[way] = false_alarm_share(metrics["accuracy"], metrics["precision"], metrics["recall"])
    return assumed.model_copy(update={"caught": caught, "false_alarms": alarmed})


def false_alarm_share(accuracy: float, precision: float, recall: float) -> float:
    """False alarms as a share of genuine rows, from accuracy, precision and recall of the same rows.

    With s the share of fraud, 1 - accuracy = s (1 - recall) + s recall (1 / precision - 1). Without any error it is 0;
    raises InputError where nothing was flagged rightly, since the three then do not determine it.
    """
    if accuracy >= 1:
        return 0.0
    if precision <= 0 or recall <= 0:
        raise InputError("Precision or recall is 0: state the share of false alarms in the price file instead.")
    alarms_per_fraud = recall * (1 / precision - 1)
    fraud = (1 - accuracy) / (1 - recall + alarms_per_fraud)
    return fraud * alarms_per_fraud / (1 - fraud)


def _usable(metrics: Mapping[str, Any]) -> bool:
    return all(isinstance(metrics.get(name), int | float) for name in ("n", "accuracy", "precision", "recall"))
