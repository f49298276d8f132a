"""Tables and priced rows: the records that a document lists."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tools.extraction.readers.amounts import amounts, numbers
from tools.extraction.readers.source import Candidate, Line, Source

Span = tuple[int, int]

_RULE = re.compile(r"^[\s|:+=_.-]*$")
_GAP = re.compile(r"[ \u00a0]{2,}|\t+")
STOP = re.compile(
    r"\b(?:sub\s?-?total|total|balance|amount due|tax|vat|gst|cash|change|rounding|discount|tendered|payment|paid|"
    r"visa|mastercard|summary|net|thank|sum|payable|to pay|you paid|(?:amount|were|we) charged|in all|received"
    r"|debit card|credit card|"
    r"summe|gesamt\w*|(?:zu )?zahlen|zahlungsart|importe|a pagar|à payer|a payer|montant|totale|totaal|suma|razem"
    r"|jumlah|rückgeld|cambio)\b|^\W*(?:charge|amt|fee|fare)\b|"
    r"^[\W\d]*(?:(?:the|your|of|in|purchases?|sales?|amount|tip|gratuity|base|betrag|belopp|beløb|kwota|bedrag|importo|monto|valor|preis|prix|"
    r"precio|prezzo|price|cost|bill|due|approved|auth\w*|debit|credit|deposit|refund|surcharge|eur|usd|gbp|chf|sek|nok|dkk|pln|myr|rm|inr)\b[\W\d]*)+$",
    re.IGNORECASE,
)
"""Words of a line that is no good that was sold: sums, taxes, payments."""
_TRIMMED = " \t-–*.:@|/=×"
_UNIT = re.compile(r"^(?:(?:[xX×]|pcs?\.?|st(?:k|ü?ck)?\.?|ea\.?|units?)(?=\s)\s*)|\s+[xX×](?=$)|\s+at$")
"""How a quantity is joined to what was sold: `2 x Tea`, `2 pcs Tea`."""
_COUNT_BEHIND = re.compile(
    r"\s\(?(?:[x×@]\s?(?P<after>\d{1,3})\)?|(?P<before>\d{1,3})\s?(?:pcs?|ea|stk|x|×)\.?\)?)[\s:.=-]*(?:(?:[A-Z]{3}|[^\w\s]{1,2}|RM|Rs\.?|[A-Z]{1,2}\$|z[łl]|K[čc])[\s]?)?$",
    re.IGNORECASE,
)
_CODE_LINE = re.compile(r"^[\s*#]*[\d-]{4,14}\s*$")
MAX_ROWS = 200
_TOLERANCE = 0.015
_SUM_TOLERANCE = 0.006


@dataclass(frozen=True)
class Table:
    """A table with its header cells and, below it, its rows of cells, as spans of the text."""

    headers: Sequence[Span]
    rows: Sequence[Sequence[Span]]


_CHECKED_CUE = 0.85
_UNCHECKED_CUE = 0.65
PricedRow = Mapping[str, Candidate]
"""A line item; keys are some of `description`, `quantity`, `unit_price`, `amount`."""


def _cells(line: Line) -> list[Span]:
    text = line.text
    if text.count("|") >= 2 or (text.count("|") == 1 and len(text) < 200):
        bounds = [-1, *(m.start() for m in re.finditer(r"\|", text)), len(text)]
        pieces = [(a + 1, b) for a, b in pairwise(bounds)]
        if text.lstrip().startswith("|"):
            pieces = pieces[1:]
        if text.rstrip().endswith("|"):
            pieces = pieces[:-1]
    else:
        starts = [0, *(m.end() for m in _GAP.finditer(text))]
        ends = [*(m.start() for m in _GAP.finditer(text)), len(text)]
        pieces = [(a, b) for a, b in zip(starts, ends, strict=True) if text[a:b].strip()]
    cells: list[Span] = []
    for start, end in pieces:
        piece = text[start:end]
        left = len(piece) - len(piece.lstrip())
        cells.append((line.start + start + left, line.start + start + max(left, len(piece.rstrip()))))
    return cells


def tables(source: Source) -> Sequence[Table]:
    """Tables drawn with pipes, tabs or columns of spaces: a header without digits, then rows with as many cells."""
    found: list[Table] = []
    index = 0
    while index + 1 < len(source.lines):
        headers = _cells(source.lines[index]) if len(source.lines[index].text) < 400 else []
        texts = [source.text[a:b] for a, b in headers]
        if len(headers) < 2 or any(re.search(r"\d", text) for text in texts) or not all(texts):
            index += 1
            continue
        rows, index = _rows_below(source, index + 1, len(headers))
        if rows:
            found.append(Table(headers, rows))
    return found


def _rows_below(source: Source, index: int, width: int) -> tuple[list[list[Span]], int]:
    rows: list[list[Span]] = []
    while index < len(source.lines) and len(rows) < MAX_ROWS:
        line = source.lines[index]
        if _RULE.match(line.text):
            if rows and not line.text.strip():
                break
            index += 1
            continue
        cells = _cells(line)
        if len(cells) != width:
            break
        rows.append(cells)
        index += 1
    return rows, index


def _consistent(quantity: Candidate, price: Candidate, amount: Candidate) -> bool:
    return abs(float(quantity.value) * float(price.value) - float(amount.value)) <= max(
        _TOLERANCE, 0.01 * float(quantity.value)
    )


def _trailing(source: Source, line: Line) -> list[Candidate]:
    return [found for found in source.read(numbers) if line.start <= found.start and found.end <= line.end]


def _description(source: Source, line: Line, end: int) -> Candidate | None:
    text = source.text[line.start : end]
    stripped = _UNIT.sub("", text.strip(_TRIMMED)).strip(_TRIMMED)
    if sum(char.isalpha() for char in stripped) < 2 or STOP.search(stripped):
        return None
    start = line.start + text.index(stripped)
    return Candidate(stripped, start, start + len(stripped), 0.6)


def _sure(row: PricedRow, cue: float) -> PricedRow:
    return {role: replace(cell, cue=cue) for role, cell in row.items()}


def _one_line(source: Source, line: Line, values: list[Candidate]) -> PricedRow | None:
    """`description quantity price amount`, `quantity x description amount` or `description amount` on one line."""
    if len(values) >= 3 and _consistent(*values[-3:]):
        quantity, price, amount = values[-3:]
        description = _description(source, line, quantity.start)
        if description:
            return _sure(
                {"description": description, "quantity": quantity, "unit_price": price, "amount": amount}, _CHECKED_CUE
            )
    leads = not source.text[line.start : values[0].start].strip(" \t*-•")
    if leads and len(values) >= 3 and _consistent(values[0], *values[-2:]):
        after = Line(values[0].end, line.end, source.text[values[0].end : line.end])
        if description := _description(source, after, values[-2].start):
            row = {"description": description, "quantity": values[0], "unit_price": values[-2], "amount": values[-1]}
            return _sure(row, _CHECKED_CUE)
    amount = values[-1]
    if amount not in source.read(amounts) or source.text[amount.end : line.end].strip(" A-Z*"):
        return None
    lead = values[0]
    if lead is not amount and leads and float(lead.value) == int(lead.value) < 1000:
        rest = Line(lead.end, line.end, source.text[lead.end : line.end])
        if description := _description(source, rest, amount.start):
            return _sure({"description": description, "quantity": lead, "amount": amount}, _UNCHECKED_CUE)
    behind = _quantity_behind(source, line, values)
    description = _description(source, line, behind[0] if behind else amount.start)
    if description is None:
        return None
    counted = {"quantity": behind[1]} if behind else {}
    return _sure({"description": description, **counted, "amount": amount}, _UNCHECKED_CUE)


def _quantity_behind(source: Source, line: Line, values: Sequence[Candidate]) -> tuple[int, Candidate] | None:
    """A quantity marked as one between description and amount (`Tea (x3)`, `Tea 3 pcs`), and where it begins."""
    match = _COUNT_BEHIND.search(source.text, line.start, values[-1].start)
    if match is None:
        return None
    found = next((one for one in values if match.start() <= one.start < match.end()), None)
    if found is None:
        start, end = match.span("after") if match["after"] else match.span("before")
        found = Candidate(float(source.text[start:end]), start, end)
    return match.start(), found


def _stacked(source: Source, index: int) -> tuple[PricedRow, int] | None:
    """A description followed by its numbers, each cell on a line of its own, as text recognition leaves receipts."""
    line = source.lines[index]
    description = _description(source, line, line.end)
    if description is None or STOP.search(line.text) or len(line.text) > 80:
        return None
    lead = _lone_quantity(source, index - 1)
    values: list[Candidate] = []
    position = index + 1
    while position < len(source.lines) and position - index <= 6:
        text = source.lines[position].text
        inside = _trailing(source, source.lines[position])
        if inside and not re.search(r"[A-Za-z]{3}", text) and not _CODE_LINE.match(text):
            values += inside
        elif text.strip() and not _CODE_LINE.match(text) and sum(c.isalpha() for c in text) > 2:
            break
        position += 1
        if lead and len(values) == 2 and _consistent(lead, *values):
            row = {"description": description, "quantity": lead, "unit_price": values[0], "amount": values[1]}
            return _sure(row, _CHECKED_CUE), position
        if len(values) >= 3 and _consistent(*values[-3:]):
            quantity, price, amount = values[-3:]
            row = {"description": description, "quantity": quantity, "unit_price": price, "amount": amount}
            return _sure(row, _CHECKED_CUE), position
        if len(values) >= 3:
            break
    return None


def _lone_quantity(source: Source, index: int) -> Candidate | None:
    """The quantity that fills a line."""
    if index < 0 or not re.fullmatch(r"\s*\d{1,3}\s*", source.lines[index].text):
        return None
    return next(iter(_trailing(source, source.lines[index])), None)


def priced_rows(source: Source) -> Sequence[PricedRow]:
    """Line items without a header, up to the first total. Three numbers count only where they multiply out."""
    found: list[PricedRow] = []
    index = 0
    while index < len(source.lines) and len(found) < MAX_ROWS:
        line = source.lines[index]
        index += 1
        if STOP.search(line.text):
            if found:
                break
            continue
        if len(line.text) > 300:
            continue
        values = _trailing(source, line)
        row = _one_line(source, line, values) if values else None
        if row is not None:
            found.append(row)
        elif stacked := _stacked(source, index - 1):
            found.append(stacked[0])
            index = stacked[1]
    return found[:-1] if _closes(found) else found


def _closes(rows: Sequence[PricedRow]) -> bool:
    """The last row is the sum of those above it."""
    sold = [float(row["amount"].value) for row in rows if "amount" in row]
    return len(rows) > 2 and len(sold) == len(rows) and abs(sum(sold[:-1]) - sold[-1]) < _SUM_TOLERANCE
