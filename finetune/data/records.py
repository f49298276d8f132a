"""Records of a stranger's file as they stand: CSV with any columns, or JSON Lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from finetune.errors import RowsError
from finetune.rows import read_text

MAX_ROWS = 2_000_000
_DELIMITERS = (",", ";", "\t", "|")
_MAX_FIELD_CHARS = 1_000_000


def read_records(path: Path) -> list[Mapping[str, Any]]:
    """All records in order; row numbers count from 1, without the header.

    Raises RowsError with the row numbers: missing, empty, too large, binary, not UTF-8, ragged, or no JSON.
    """
    text = read_text(path)
    if not text.strip():
        raise RowsError(f"{path.name} is empty.", code="empty_file")
    json_lines = path.suffix.lower() in (".jsonl", ".ndjson", ".json") or text.lstrip().startswith("{")
    records = _json_lines(path.name, text) if json_lines else _csv(path.name, text)
    if not records:
        raise RowsError(f"{path.name} holds no rows.", code="empty_file")
    if len(records) > MAX_ROWS:
        raise RowsError(f"{path.name} has {len(records):,} rows; take {MAX_ROWS:,} of them.", code="file_too_large")
    return records


def _json_lines(name: str, text: str) -> list[Mapping[str, Any]]:
    records: list[Mapping[str, Any]] = []
    problems: dict[int, str] = {}
    for number, line in enumerate((line for line in text.split("\n") if line.strip()), start=1):
        try:
            record: object = json.loads(line)
        except (ValueError, RecursionError) as error:
            problems[number] = f"no JSON ({error})"
            continue
        if isinstance(record, dict):
            records.append(cast("dict[str, Any]", record))
        else:
            problems[number] = "no JSON object"
    if problems:
        raise RowsError(f"{name} is not JSON Lines: one object a line.", problems, code="invalid_json")
    return records


def _csv(name: str, text: str) -> list[Mapping[str, Any]]:
    csv.field_size_limit(_MAX_FIELD_CHARS)
    header_line = text.lstrip().partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header_line.count)
    try:
        lines = [row for row in csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter) if row]
    except csv.Error as error:
        raise RowsError(f"{name} is not readable as CSV: {error}.", code="invalid_csv") from None
    header = [column.strip() for column in lines[0]]
    if repeated := sorted({column for column in header if column and header.count(column) > 1}):
        raise RowsError(f"{name} has several columns named {', '.join(repeated)}.", code="duplicate_columns")
    ragged = {
        number: f"{len(row)} cells where the header has {len(header)}"
        for number, row in enumerate(lines[1:], start=1)
        if len(row) != len(header)
    }
    if ragged:
        raise RowsError(f"{name} has ragged rows; check quoting and the delimiter.", ragged, code="invalid_csv")
    return [dict(zip(header, row, strict=True)) for row in lines[1:]]
