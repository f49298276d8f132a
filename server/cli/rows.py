"""Transactions out of JSONL and CSV files; a row that cannot be read is a row, too."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tools.errors import InputError


@dataclass(frozen=True)
class Row:
    """A row of a file: `fields` in the file's own spelling, or `problem` where it could not be read."""

    line: int
    fields: dict[str, Any]
    problem: str | None = None

    @property
    def body(self) -> dict[str, Any]:
        """What to send for scoring: the fields, or their text where a row is `{"text": ...}` without an amount."""
        text = self.fields.get("text")
        if isinstance(text, str) and "amount" not in self.fields:
            return {"text": text}
        return {"transaction": self.fields}


def read_rows(path: Path) -> list[Row]:
    """All rows of a CSV file (by its name) or of a JSONL file; blank lines are no rows.

    Raises:
        InputError: the file cannot be read, is not UTF-8, is not CSV or has no rows.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", code="unreadable_file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}).", code="bad_encoding") from None
    try:
        rows = list(_csv_rows(text) if path.suffix.lower() in (".csv", ".tsv") else _json_rows(text))
    except csv.Error as error:
        raise InputError(f"{path} is not CSV: {error}.", code="invalid_csv") from None
    if not rows:
        raise InputError(f"{path} has no rows.", code="empty_file")
    return rows


def _json_rows(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found: object = json.loads(line)
        except (ValueError, RecursionError):
            yield Row(number, {}, "The line is not valid JSON.")
            continue
        if isinstance(found, dict):
            yield Row(number, cast("dict[str, Any]", found))
        else:
            yield Row(number, {}, "The line is not a JSON object.")


def _csv_rows(text: str) -> Iterator[Row]:
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t|", key=header.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = next(lines, list[str]())
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) == len(names):
            yield Row(lines.line_num, dict(zip(names, cells, strict=True)))
        else:
            yield Row(lines.line_num, {}, f"The line has {len(cells)} columns, the header {len(names)}.")
