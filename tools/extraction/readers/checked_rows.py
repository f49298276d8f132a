"""Rows of what was sold whose cells stand on lines of their own, kept only where their sum is told below them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tools.extraction.readers.amounts import amounts
from tools.extraction.readers.rows import STOP, PricedRow
from tools.extraction.readers.source import Candidate, Line, Source

_CUE = 0.8
_TOLERANCE = 0.006
_LONGEST_DESCRIPTION, _LONGEST_LINE = 60, 120
_COUNT = re.compile(r"\s*(?:[@xX×]\s?)?(?P<count>\d{1,3})(?:\s?(?:[xX×]|pcs?\.?|ea\.?))?\s*", re.IGNORECASE)
_COUNTED = re.compile(
    r"\s*(?:(?P<count>\d{1,3})\s+(?:(?:[xX×]|pcs?\.?)\s+)?)?(?P<what>[^\W\d_].*?)(?:\s+\(?[@xX×]\s?(?P<behind>\d{1,3})\)?:?)?\s*"
)


def checked_rows(source: Source) -> Sequence[PricedRow]:
    """Descriptions, maybe with a quantity, each followed by its amount on the next line, up to the sum of the amounts;
    empty where the sum is not told."""
    found = _rows(source)
    sold = [row["amount"] for row in found]
    total = round(sum(float(one.value) for one in sold), 2)
    told = any(one.start > sold[-1].end and abs(float(one.value) - total) < _TOLERANCE
               for one in source.read(amounts)) if sold else False  # fmt: skip
    return found if told else ()


def _rows(source: Source) -> list[PricedRow]:
    found: list[PricedRow] = []
    pending: dict[str, Candidate] = {}
    starting = {one.start: one for one in source.read(amounts)}
    for line in source.lines:
        if not line.text.strip():
            continue
        if len(line.text) > _LONGEST_LINE:
            pending = {}
        elif STOP.search(line.text):
            if found:
                break
            pending = {}
        elif amount := _lone_amount(starting, line):
            if "description" in pending:
                found.append({**pending, "amount": amount})
            pending = {}
        elif count := _COUNT.fullmatch(line.text):
            pending["quantity"] = _number(line, count, "count")
        else:
            counted = {} if "description" in pending else pending
            pending = {**counted, **_described(line)}
    return found


def _lone_amount(starting: Mapping[int, Candidate], line: Line) -> Candidate | None:
    """The amount that fills a line."""
    found = starting.get(line.start + len(line.text) - len(line.text.lstrip()))
    return found if found and found.end == line.start + len(line.text.rstrip()) else None


def _described(line: Line) -> dict[str, Candidate]:
    """What was sold, with the quantity on its line."""
    match = _COUNTED.fullmatch(line.text)
    if match is None or len(match["what"]) > _LONGEST_DESCRIPTION:
        return {}
    start, end = line.start + match.start("what"), line.start + match.end("what")
    count = next((name for name in ("count", "behind") if match[name]), None)
    counted = {"quantity": _number(line, match, count)} if count else {}
    return {"description": Candidate(match["what"], start, end, _CUE), **counted}


def _number(line: Line, match: re.Match[str], group: str) -> Candidate:
    return Candidate(float(match[group]), line.start + match.start(group), line.start + match.end(group), _CUE)
