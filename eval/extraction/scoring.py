"""Counts and figures: when a value is right, and what the counts of many documents come to."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from eval.extraction.documents import Gold, Scalar

_HALF_CENT = 0.005
# A passage of the text rather than a value: where exactly it begins and ends is a matter of taste.
PASSAGES: Mapping[str, float] = {
    "address": 0.8,
    "renewal": 0.6,
    "liability_cap": 0.6,
    "reason": 0.6,
    "requested_action": 0.6,
}
"""Fields whose text counts as right from this F1 of words on."""


_DIVISION = re.compile(
    r"^(?:the\s+)?(?:(?:federal\s+|people['’]?s\s+)?(?:state|commonwealth|province|republic|kingdom)\s+of\s+)?(?:the\s+)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Counts:
    """Values of a field: right, wrong or too many, missed; documents that lack it, and those where it was made up."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    absent: int = 0
    made_up: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.right + other.right, self.wrong + other.wrong, self.missed + other.missed,
            self.absent + other.absent, self.made_up + other.made_up,
        )  # fmt: skip


def letters(text: str) -> str:
    """Letters and digits in lower case, compatibility characters made plain."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in plain if char.isalnum())


def same(path: str, gold: Scalar, found: Scalar) -> bool:
    """Whether a value is right: numbers to the cent, passages by their words, other texts by letters and digits.

    A law is the same with and without `the State of`."""
    if isinstance(gold, float | int):
        return isinstance(found, float | int) and abs(gold - found) < _HALF_CENT
    bound = PASSAGES.get(path)
    if bound is not None:
        return word_f1(gold, str(found)) >= bound
    if path == "governing_law":
        return letters(_DIVISION.sub("", gold)) == letters(_DIVISION.sub("", str(found)))
    return letters(gold) == letters(str(found))


def word_f1(gold: str, found: str) -> float:
    """Harmonic mean of the shares of words that both have."""
    wanted, got = (Counter(re.findall(r"\w+", text.casefold())) for text in (gold, found))
    shared = sum((wanted & got).values())
    return 2 * shared / (wanted.total() + got.total()) if shared else 0.0


def count(path: str, gold: Gold, found: Gold) -> Counts:
    """The counts of one field of one document; cells of a column are paired off one by one."""
    wanted, got = _cells(gold), _cells(found)
    if not wanted:
        return Counts(wrong=len(got), absent=1, made_up=int(bool(got)))
    open_cells = list(got)
    right = 0
    for cell in wanted:
        match = next((other for other in open_cells if same(path, cell, other)), None)
        if match is not None:
            open_cells.remove(match)
            right += 1
    return Counts(right, len(open_cells), len(wanted) - right)


def _cells(value: Gold) -> tuple[Scalar, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def f1(counts: Counts) -> float:
    """F1; 1 where there was nothing to find and nothing was found."""
    total = 2 * counts.right + counts.wrong + counts.missed
    return 2 * counts.right / total if total else 1.0


def precision(counts: Counts) -> float | None:
    """Share of the values found that are right; None where none was found."""
    found = counts.right + counts.wrong
    return counts.right / found if found else None


def recall(counts: Counts) -> float | None:
    """Share of the values there that were found; None where there is none."""
    there = counts.right + counts.missed
    return counts.right / there if there else None


def made_up_rate(counts: Counts) -> float | None:
    """Share of the absent fields that were filled all the same; None where no field is absent."""
    return counts.made_up / counts.absent if counts.absent else None
