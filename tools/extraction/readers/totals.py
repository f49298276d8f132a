"""Totals: the amount that the payment and the change, or the lines above, agree with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tools.extraction.readers.amounts import amounts
from tools.extraction.readers.labels import find_labels
from tools.extraction.readers.source import Source

if TYPE_CHECKING:
    from tools.extraction.proposals import Proposal

_TENDERED = (
    "cash received",
    "cash",
    "tendered",
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
_SUMMARY = re.compile(r"(?:gst|tax|vat|sst)\s*(?:summary|analysis|code|rate)", re.IGNORECASE)


def _next_amount(source: Source, labels: Sequence[str]) -> list[float]:
    found: list[float] = []
    for label in find_labels(source, labels):
        after = next((c for c in source.read(amounts) if c.start >= label.end), None)
        if after is not None and source.text.count("\n", label.end, after.start) <= 2:
            found.append(float(after.value))
    return found


def settled(source: Source, proposals: Sequence[Proposal]) -> list[Proposal]:
    """Raise the totals that equal what was tendered less the change, lower those from a tax summary."""
    tendered, change = _next_amount(source, _TENDERED), _next_amount(source, _CHANGE)
    owed = {round(paid - back, 2) for paid in tendered for back in (change or [0.0]) if paid - back > _CENT}
    summary = _SUMMARY.search(source.text)
    found: list[Proposal] = []
    for proposal in proposals:
        score = proposal.score
        if any(abs(float(proposal.candidate.value) - amount) < _CENT for amount in owed):
            score += 0.15
        if summary is not None and proposal.candidate.start > summary.end():
            score -= 0.3
        if float(proposal.candidate.value) <= 0:
            score -= 0.3
        found.append(replace(proposal, score=max(0.0, min(0.97, score))))
    return found
