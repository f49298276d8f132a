"""Text as a cell of a CSV file that spreadsheets open: nothing in it is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

# A spreadsheet would take such a cell for a formula; the quote is doubled so that a cell can be read back.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def to_cell(text: str) -> str:
    """The text, behind a quote where it could be taken for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def from_cell(cell: str) -> str:
    """The text that `to_cell` was given."""
    return cell[1:] if cell.startswith("'") else cell


def csv_line(cells: Iterable[str]) -> str:
    """A record with its line end."""
    out = io.StringIO()
    # All in quotes: a cell may hold any kind of line end.
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(cells)
    return out.getvalue()
