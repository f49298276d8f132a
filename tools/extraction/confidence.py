"""From a reader's score to the share of values with such a score that are right."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources

import numpy as np
import yaml

CURVE_FILE = "confidence.yaml"


@cache
def curve() -> tuple[Sequence[float], Sequence[float]]:
    """Scores and the confidences they stand for, both rising; `python -m eval.extraction.fit_confidence` fits them."""
    text = resources.files("tools.extraction").joinpath(CURVE_FILE).read_text(encoding="utf-8")
    points: list[tuple[float, float]] = yaml.safe_load(text)["points"]
    return [score for score, _ in points], [confidence for _, confidence in points]


def confidence_of(score: float) -> float:
    """The confidence in a value that a reader gave this score (0..1)."""
    scores, confidences = curve()
    return float(np.interp(score, scores, confidences))


def score_of(confidence: float) -> float:
    """The score behind a confidence: the inverse of `confidence_of`."""
    scores, confidences = curve()
    return float(np.interp(confidence, confidences, scores))
