"""Finds transactions written as data inside a text: JSON, CSV with a header, "key: value" lines."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from typing import Any, cast

from tools.fraud.fields import WRAPPERS, find_field

_ESSENTIAL = frozenset({"amount", "merchant", "merchant_category", "channel"})
_MIN_KNOWN = 2
_MAX_RECORDS = 1000
_MAX_JSON_STARTS = 20
_MAX_HEADER_LINE = 50
_MAX_CHARS = 200_000
_PAIR = re.compile(
    r"(?:^|[\n;|,])[ \t]*(?:[-*•][ \t]+)?\**(?P<key>[A-Za-z][\w./() -]{0,40}?)\**[ \t]*(?::(?!\d)|=)[ \t]*\**"
    r"(?P<value>[^\n;|]+?)(?=[ \t]*(?:$|[\n;|]|,\s*[A-Za-z][\w -]{0,40}?\s*(?:=|:\s)))",
)


def find_records(text: str) -> list[Mapping[str, Any]]:
    """All transaction-like records of a text in their own spelling, from the first notation that holds any."""
    text = text[:_MAX_CHARS]
    for read in (_json_records, _csv_records, _pair_records):
        records = [record for record in read(text) if _is_transaction_like(record)]
        if records:
            return records[:_MAX_RECORDS]
    return []


def _json_records(text: str) -> list[Mapping[str, Any]]:
    """Objects of the first JSON value that holds any; prose may stand around it."""
    decoder = json.JSONDecoder()
    for start in [match.start() for match in re.finditer(r"[{\[]", text)][:_MAX_JSON_STARTS]:
        try:
            value, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        records = _objects(value)
        if any(_is_transaction_like(record) for record in records):
            return records
    return []


def _objects(value: object) -> list[Mapping[str, Any]]:
    if isinstance(value, list):
        items = cast("list[object]", value)
        return [cast("Mapping[str, Any]", item) for item in items if isinstance(item, Mapping)]
    if not isinstance(value, Mapping):
        return []
    record = cast("Mapping[str, Any]", value)
    listed = record.get("transactions")
    return _objects(cast("object", listed)) if isinstance(listed, list) else [record]


def _csv_records(text: str) -> list[Mapping[str, Any]]:
    """Rows below the first line that reads as a header."""
    lines = [line for line in text.splitlines() if line.strip()]
    for number, line in enumerate(lines[:-1][:_MAX_HEADER_LINE]):
        for delimiter in (",", ";", "\t", "|"):
            header = _cells(line, delimiter)
            if len(header) < _MIN_KNOWN or sum(find_field(cell) is not None for cell in header) < len(header) / 2:
                continue
            rows = [_cells(row, delimiter) for row in lines[number + 1 : number + 1 + _MAX_RECORDS]]
            found = [dict(zip(header, row, strict=True)) for row in rows if len(row) == len(header)]
            if found:
                return cast("list[Mapping[str, Any]]", found)
    return []


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for row in csv.reader([line.strip()], delimiter=delimiter) for cell in row]
    except csv.Error:
        return []


def _pair_records(text: str) -> list[Mapping[str, Any]]:
    """The "key: value" and "key=value" pairs whose keys are known, as one record."""
    pairs = {match["key"]: match["value"].strip(" *") for match in _PAIR.finditer(text)}
    known = {key: value for key, value in pairs.items() if find_field(key)}
    return [known] if len(known) >= _MIN_KNOWN else []


def known_names(record: Mapping[str, Any], prefix: str = "") -> set[str]:
    """The transaction's fields that a record's keys mean; one level of nesting is looked into."""
    names: set[str] = set()
    for key, value in record.items():
        name = f"{prefix}_{key}" if prefix else str(key)
        if isinstance(value, Mapping) and not prefix:
            inner = "" if name.casefold() in WRAPPERS else name
            names |= known_names(cast("Mapping[str, Any]", value), inner)
        elif field := find_field(name):
            names.add(field.name)
    return names


def _is_transaction_like(record: Mapping[str, Any]) -> bool:
    names = known_names(record) - {"note"}  # documents of every kind carry notes
    return len(names) >= _MIN_KNOWN and bool(names & _ESSENTIAL)
