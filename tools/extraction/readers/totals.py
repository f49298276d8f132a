"""Totals: the amount that payment and change, tax and rounding agree with."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from tools.extraction.readers.amounts import amounts, numbers
from tools.extraction.readers.labels import find_labels
from tools.extraction.readers.rows import priced_rows
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
_COIN = 0.05
_MOST_AMOUNTS = 60
_MOST_GROSS = 2
_LOWEST_TAX, _HIGHEST_TAX = 0.025, 0.28
_TAX = re.compile(r"\b(?:gst|tax|vat|sst|mwst|tva|iva)\b", re.IGNORECASE)
_NET = re.compile(r"\bsub-?\s?total|\bnet\b|\bnetto|\bexcl|\bbefore\b", re.IGNORECASE)
_ROUNDING = re.compile(r"\bro?u?nd", re.IGNORECASE)
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


def added_up(source: Source) -> Sequence[Candidate]:
    """Amounts that are the sum of all amounts in the rows above them, where nothing is said of a net amount or tax."""
    if _TAX.search(source.text) or _NET.search(source.text):
        return ()
    sold = [row["amount"] for row in priced_rows(source) if "amount" in row]
    if not sold:
        return ()
    whole, last = round(sum(float(one.value) for one in sold), 2), max(one.end for one in sold)
    return [
        Candidate(one.value, one.start, one.end, 0.6 if len(sold) > 1 else 0.42)
        for one in source.read(amounts)
        if one.start > last and abs(float(one.value) - whole) < _CENT
    ]


@dataclass(frozen=True)
class Sums:
    """Amounts by the part they play in the document's arithmetic."""

    gross: frozenset[float]
    """Net plus tax, or rounded to what can be paid."""
    parts: frozenset[float]
    """Net amounts, taxes, and amounts before rounding."""


def sums(source: Source) -> Sums:
    """What the arithmetic of tax and rounding says, where the document speaks of them."""
    values = sorted({round(float(one.value), 2) for one in source.read(amounts) if float(one.value) > 0})
    rounds = _ROUNDING.search(source.text) is not None
    triples = _taxed(values[-_MOST_AMOUNTS:], _COIN if rounds else _CENT) if _TAX.search(source.text) else []
    gross = set(sorted({whole for whole, _, _ in triples})[-_MOST_GROSS:])
    parts = {part for whole, *inside in triples if whole in gross for part in inside} - gross
    for exact, paid in _payable(source, values) if rounds else ():
        gross = (gross - {exact}) | {paid}
        parts |= {exact}
    return Sums(frozenset(gross), frozenset(parts))


def _taxed(values: Sequence[float], tolerance: float) -> list[tuple[float, float, float]]:
    """(whole, net, tax) for amounts that add up, the tax at a usual rate."""
    found: list[tuple[float, float, float]] = []
    for net in values:
        for tax in values:
            if _LOWEST_TAX * net <= tax <= _HIGHEST_TAX * net:
                first = bisect_left(values, net + tax - tolerance)
                last = bisect_right(values, net + tax + tolerance)
                found += [(whole, net, tax) for whole in values[first:last]]
    return found


def _payable(source: Source, values: Sequence[float]) -> list[tuple[float, float]]:
    """An amount and what the smallest coin can pay of it, where their difference is told as well."""
    told = {round(abs(float(one.value)), 2) for one in source.read(numbers)}
    return [
        (exact, paid)
        for exact in values
        for paid in values[bisect_left(values, exact - _COIN) : bisect_right(values, exact + _COIN)]
        if round(abs(exact - paid), 2) in told - {0.0} and _is_coins(paid) and not _is_coins(exact)
    ]


def _is_coins(amount: float) -> bool:
    return abs(amount / _COIN - round(amount / _COIN)) < 1e-6


def tax_summary_start(source: Source) -> int:
    """Where the tax summary of a receipt begins, whose totals are those of the tax; else the text's length."""
    summary = _SUMMARY.search(source.text)
    return summary.end() if summary else len(source.text)
