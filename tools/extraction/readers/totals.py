"""Totals: the amount that what was tendered and the change agree with."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from tools.extraction.readers.amounts import amounts
from tools.extraction.readers.labels import find_labels
from tools.extraction.readers.source import Candidate, Source

_TENDERED = (
    "cash received",
    "cash",
    "tendered",
    "tender",
    "amount paid",
    "paid",
    "payment",
    "visa",
    "mastercard",
    "master",
    "card",
)
_CHANGE = ("change due", "change", "kembali", "rückgeld")
_CENT = 0.006
_AHEAD = 3
_SUMMARY = re.compile(r"(?:gst|tax|vat|sst)\s*(?:summary|analysis|code|rate)", re.IGNORECASE)


def _next_amount(source: Source, labels: Sequence[str]) -> list[float]:
    found: list[float] = []
    for label in find_labels(source, labels):
        read = source.read(amounts)
        index = bisect_left(read, label.end, key=lambda one: one.start)
        after = read[index] if index < len(read) else None
        if after is not None and source.text.count("\n", label.end, after.start) <= 2:
            found.append(float(after.value))
    return found


def owed(source: Source) -> frozenset[float]:
    """What was tendered less the change, for each pair of labelled amounts."""
    tendered, change = _next_amount(source, _TENDERED), _next_amount(source, _CHANGE)
    return frozenset(round(paid - back, 2) for paid in tendered for back in (change or [0.0]) if paid - back > _CENT)


def settlements(source: Source) -> Sequence[Candidate]:
    """Amounts followed by a larger or equal one and by their difference: total, cash, change in any layout."""
    if not any(True for _ in find_labels(source, _CHANGE, limit=1)):
        return ()
    read = source.read(amounts)
    found: list[Candidate] = []
    for index, total in enumerate(read):
        ahead = [float(one.value) for one in read[index + 1 : index + 1 + _AHEAD]]
        value = float(total.value)
        pairs = [(paid, back) for i, paid in enumerate(ahead) for back in ahead[i + 1 :]]
        if value > 0 and any(paid >= value and abs(paid - value - back) < _CENT for paid, back in pairs):
            found.append(Candidate(total.value, total.start, total.end, 0.62))
    return found


def tax_summary_start(source: Source) -> int:
    """Where the tax summary of a receipt begins, whose totals are those of the tax; else the text's length."""
    summary = _SUMMARY.search(source.text)
    return summary.end() if summary else len(source.text)
