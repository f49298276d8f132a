"""Numbers in texts of one template, said as levels from 00 to 99 among the training rows.

A small model reads a magnitude badly: it has to put "17330" together from digits before it can know that it is much.
Where every row says a number in the same words ("the credit balance is 17330"), its level says so directly, in two
digits and fewer tokens. A level is the mean of the value's rank and of its place in the range: rank alone would merge
what is far out, place alone what lies close together (numbers in tables have the same trouble: Gorishniy et al. 2022,
"On Embeddings for Numerical Features in Tabular Deep Learning"). Words of such clauses that say nothing are left out:
they cost as much time as those that do.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

_LEVELS = 100
_FARTHEST = 0.001
_LEAST_SHARE = 0.9
_LEAST_COVERED = 0.5
_LEAST_VALUES = 8
# Punctuation inside of numbers and words ("1,234.50") parts nothing.
_CLAUSE = re.compile(r"[^,;.!?\n]+(?:[,;.!?]+(?!\s)[^,;.!?\n]+)*")
# No dates, times, codes, decimal commas or parts of words.
_NUMBER = re.compile(r"(?<![\w.,/:-])-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w/:-]|[.,]\d)")
# No text has it, so that no text looks like a clause whose numbers are blank.
_BLANK = "\0"
_FILLERS = re.compile(r"(?<![\w/-])(?:the|an?|is|are|was|were|has|have|had|of|with|and)\s+", re.IGNORECASE)

Scale = tuple[float, ...]


class NumberLevels(BaseModel):
    """How numbers are read. `scales` has, for each clause with its numbers left blank and for each number in it, the
    quantiles of its values in the training rows, or None for a number that is left as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scales: dict[str, tuple[Scale | None, ...]] = Field(min_length=1)

    def apply(self, text: str) -> str:
        """The text with each number of a known clause said as its level, in fewer words; all else is left as it is."""
        return _CLAUSE.sub(lambda clause: self._say_levels(clause[0]), text)

    def numbers(self, text: str) -> list[float]:
        """The values of all known numbers, in a fixed order; NaN where the text does not say one."""
        found: dict[str, list[float]] = {}
        for clause in _CLAUSE.findall(text):
            if (shape := _shape(clause)) in self.scales:
                found.setdefault(shape, [_value(number) for number in _NUMBER.findall(clause)])
        return [value for shape, known in self.scales.items() for value in found.get(shape, [math.nan] * len(known))]

    def _say_levels(self, clause: str) -> str:
        if (known := self.scales.get(_shape(clause))) is None:
            return clause
        scales = iter(known)

        def say(found: re.Match[str]) -> str:
            scale = next(scales, None)
            return found[0] if scale is None else f"{_level(scale, _value(found[0])):02d}"

        return _FILLERS.sub("", _NUMBER.sub(say, clause))


def fit_number_levels(texts: Sequence[str]) -> NumberLevels | None:
    """Learn the scales of numbers that at least 90% of the texts say in the same words.

    Numbers of fewer than eight values stay as they are. None for texts that are not of one template: those where less
    than half of all numbers are said so.
    """
    said: dict[str, list[list[float]]] = defaultdict(list)
    rows: Counter[str] = Counter()
    for text in texts:
        clauses = [clause for clause in _CLAUSE.findall(text) if _NUMBER.search(clause)]
        rows.update({_shape(clause) for clause in clauses})
        for clause in clauses:
            said[_shape(clause)].append([_value(number) for number in _NUMBER.findall(clause)])
    scales = {
        shape: tuple(_scale(values) for values in zip(*said[shape], strict=True))
        for shape, count in rows.items()
        if count >= _LEAST_SHARE * len(texts)
    }
    numbers = {shape: sum(map(len, values)) for shape, values in said.items()}
    covered = sum(numbers[shape] for shape, found in scales.items() if any(found))
    templated = covered and covered >= _LEAST_COVERED * sum(numbers.values())
    return NumberLevels(scales=scales) if templated else None


def _scale(values: Sequence[float]) -> Scale | None:
    if len(set(values)) < _LEAST_VALUES:
        return None
    shares = np.linspace(_FARTHEST, 1 - _FARTHEST, _LEVELS + 1)
    return tuple(np.quantile(values, shares, method="nearest").tolist())


def _level(scale: Scale, value: float) -> int:
    # A value that many rows share has the middle of their ranks.
    rank = (bisect_left(scale, value) + bisect_right(scale, value)) / (2 * len(scale))
    width = scale[-1] - scale[0]
    place = min(1.0, max(0.0, (value - scale[0]) / width)) if width else rank
    return min(_LEVELS - 1, int(_LEVELS * (rank + place) / 2))


def _shape(clause: str) -> str:
    return _NUMBER.sub(_BLANK, clause.replace(_BLANK, " ")).strip()


def _value(number: str) -> float:
    return float(number.replace(",", ""))
