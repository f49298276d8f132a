"""Many rows at once: the shared prompt computed once, rows by length, in int8 where that gives the same answers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from finetune.calibrate import Decision
from finetune.scoring import Scorer, Scores

# The bounds of the parity gate that adapters pass on export.
LEAST_AGREEMENT = 0.99
LARGEST_DIFFERENCE = 0.02
_CHECKED = 32

Precision = Literal["int8", "float32"]


@dataclass(frozen=True)
class Parity:
    """How int8 and float32 compare on some rows: share of equal labels, median difference of the probabilities."""

    rows: int
    label_agreement: float
    median_difference: float

    @property
    def passed(self) -> bool:
        """Whether int8 may stand in for float32."""
        return self.label_agreement >= LEAST_AGREEMENT and self.median_difference <= LARGEST_DIFFERENCE


@dataclass(frozen=True)
class BulkScores:
    """The scores, what computed them, and the check that chose it."""

    scores: Scores
    precision: Precision
    parity: Parity


def score_in_bulk(
    scorer: Scorer, decision: Decision, texts: Sequence[str], progress: Callable[[int], None] = lambda rows: None
) -> BulkScores:
    """Score texts in int8 if some of them, scored both ways, come out alike; else in float32.

    `progress` hears how many more rows are done. Raises RowsError for over-length texts.
    """
    started = time.perf_counter()
    encoded = scorer.encode(texts)
    sample = list(range(0, len(texts), math.ceil(len(texts) / _CHECKED)))
    others = sorted(set(range(len(texts))) - set(sample))
    exact, fast = (scorer.score_encoded(encoded.some(sample), int8=int8) for int8 in (False, True))
    parity = compare(exact, fast, decision)
    progress(len(sample))
    rest = scorer.score_encoded(encoded.some(others), int8=parity.passed, progress=progress)
    logits, parsed = np.empty((len(texts), exact.logits.shape[1])), np.empty(len(texts), dtype=bool)
    for rows, part in ((sample, fast if parity.passed else exact), (others, rest)):
        logits[rows], parsed[rows] = part.logits, part.parsed
    scores = Scores(logits, parsed, time.perf_counter() - started, encoded.tokens)
    return BulkScores(scores, "int8" if parity.passed else "float32", parity)


def compare(exact: Scores, fast: Scores, decision: Decision) -> Parity:
    """Hold int8 scores against float32 scores of the same rows."""
    unknown = [0] * len(exact.logits)
    one, other = decision.apply(exact.logits, unknown), decision.apply(fast.logits, unknown)
    return Parity(
        len(unknown),
        float(np.mean(one.decided == other.decided)),
        float(np.median(np.abs(one.probabilities - other.probabilities).max(axis=1))),
    )
