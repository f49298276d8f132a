"""What an evaluation's report tells about costs: shares of caught fraud and false alarms, and the hours of training."""

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
    """The assumed quality with the shares that the report has: its adapter's and its rules'.

    The base model's count as prompting's only where the price file says that it is what is prompted: a hosted model at
    a hosted model's price is another one. Raises InputError where the file is no report of a two-class evaluation.
    """
    report = _read(path)
    baselines = cast("Mapping[str, Any]", report.get("baselines") or {})
    found: dict[Way, Mapping[str, Any] | None] = {"tuned": report, "rules": baselines.get("rules")}
    if assumed.prompt_is_served_base:
        found["prompt"] = next((baselines[name] for name in _PROMPTED if name in baselines), None)
    caught, alarmed = dict(assumed.caught), dict(assumed.false_alarms)
    for way, metrics in found.items():
        if metrics is not None and _usable({"n": report["n"], **metrics}):
            caught[way] = metrics["recall"]
            alarmed[way] = false_alarm_share(metrics["accuracy"], metrics["precision"], metrics["recall"])
    source = f"{path.name} ({report['n']} rows)"
    return assumed.model_copy(update={"caught": caught, "false_alarms": alarmed, "measured_on": source})


def training_hours(path: Path) -> float | None:
    """Hours that the report's adapter was trained for; None where it does not say. Raises as `quality_of_report`."""
    training = _read(path).get("training")
    seconds = cast("Mapping[str, Any]", training).get("seconds") if isinstance(training, Mapping) else None
    return round(seconds / 3600, 3) if isinstance(seconds, int | float) else None


def _read(path: Path) -> Mapping[str, Any]:
    try:
        raw: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"The report {path.name} cannot be read.", file=path.name) from error
    if not isinstance(raw, Mapping) or not _usable(cast("Mapping[str, Any]", raw)):
        raise InputError(
            f"{path.name} is no report of `evaluate` with n, accuracy, precision and recall.", file=path.name
        )
    return cast("Mapping[str, Any]", raw)


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
