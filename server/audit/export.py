"""The audit log as a file, JSON lines or CSV, that can be verified without the database.

The last record, `export_end`, says which rows the file holds and is chained and sealed like a row. A file is only as
exported if every record, written again, gives the same bytes.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from server.audit.chain import ChainCheck
from server.audit.entry import (
    COLUMNS,
    GENESIS,
    NUMBERS,
    STRUCTURES,
    TEXTS,
    Row,
    canonical,
    has_its_hash,
    row_hash,
    sealed_text,
    timestamp,
)
from server.audit.key import AuditKey
from server.csv_cells import csv_line, from_cell, to_cell

Format = Literal["jsonl", "csv"]
EXPORT_END = "export_end"


class _Record(BaseModel):
    """A record of an exported file; its names are `COLUMNS`. Only the last one has no `sequence`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sequence: int | None
    time: str
    kind: str
    owner: str
    run_id: str | None
    subject: str | None
    input_hash: str | None
    output_hash: str | None
    model: str | None
    model_sha256: str | None
    adapter: str | None
    adapter_sha256: str | None
    prompt: str | None
    chunks: list[str]
    route: str | None
    outcome: str | None
    score: float | None
    threshold: float | None
    reasons: list[str]
    human_override: dict[str, Any] | None
    details: dict[str, Any]
    previous_hash: str
    seal: str
    hash: str


@dataclass(frozen=True)
class FileRow:
    """A record at its line, `None` where it is not as exported."""

    line: int
    row: Row | None


def export_lines(rows: Iterable[Row], format: Format, key: AuditKey | None, about: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a file with these rows, with their line ends; `about` is kept in the last record."""
    if format == "csv":
        yield csv_line(COLUMNS)
    check = ChainCheck()
    for row in rows:
        check.add(row)
        yield _written(row, format)
    yield _written(_end(check, key, about), format)


def check_file(lines: Iterable[str], format: Format, key: AuditKey | None) -> ChainCheck:
    """Check a file line by line; `lines` keep their line ends."""
    check = ChainCheck(key)
    end: FileRow | None = None
    for found in _read(lines, format):
        if end is not None:
            check.report("end_differs", "something follows the end of the export", line=found.line)
        elif found.row is None:
            check.report("unreadable", "it is not a record as it was exported", line=found.line)
        elif found.row["kind"] == EXPORT_END:
            end = found
        else:
            check.add(found.row, found.line)
    if end is None or end.row is None:
        check.report("end_missing", f"the last record, {EXPORT_END}, is missing: the file was cut off")
    else:
        _check_end(check, end.row, end.line)
    return check


def _end(check: ChainCheck, key: AuditKey | None, about: Mapping[str, Any]) -> Row:
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {
        "time": timestamp(datetime.now(UTC)),
        "kind": EXPORT_END,
        "owner": "",
        "chunks": [],
        "reasons": [],
        "details": {**about, **_extent(check)},
        "previous_hash": _last_hash(check),
    }
    row["seal"] = "" if key is None else key.seal("row", sealed_text(row))
    row["hash"] = row_hash(row)
    return row


def _check_end(check: ChainCheck, end: Row, line: int) -> None:
    if not has_its_hash(end):
        check.report("edited", "the end of the export does not fit its hash", line=line)
    elif check.key is not None and not check.key.fits("row", sealed_text(end), end["seal"]):
        check.report("forged", "the end of the export was not sealed with this key", line=line)
    extent = _extent(check)
    if (told := {name: end["details"].get(name) for name in extent}) != extent:
        said = f"{told['rows']} rows, {told['first']} to {told['last']}, were exported"
        check.report("end_differs", f"{said}; here are {check.rows}, {extent['first']} to {extent['last']}", line=line)
    elif end["previous_hash"] != _last_hash(check):
        check.report("unlinked", "the end of the export does not link to the last row", line=line)


def _extent(check: ChainCheck) -> dict[str, Any]:
    first, last = check.first or {}, check.last or {}
    return {
        "rows": check.rows,
        "first": first.get("sequence"),
        "last": last.get("sequence"),
        "previous_hash": first.get("previous_hash"),
    }


def _last_hash(check: ChainCheck) -> str:
    return GENESIS if check.last is None else check.last["hash"]


def _read(lines: Iterable[str], format: Format) -> Iterator[FileRow]:
    return _read_csv(lines) if format == "csv" else _read_jsonl(lines)


def _read_jsonl(lines: Iterable[str]) -> Iterator[FileRow]:
    for number, line in enumerate(lines, start=1):
        yield FileRow(number, _record(line, "jsonl", partial(json.loads, line)))


def _read_csv(lines: Iterable[str]) -> Iterator[FileRow]:
    taken: list[str] = []

    def source() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    reader = csv.reader(source())
    while True:
        line = reader.line_num + 1
        cells: list[str] = []
        taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # Not as exported: no cells, no record.
            pass
        written = "".join(taken)
        if line > 1:
            yield FileRow(line, _record(written, "csv", partial(_from_cells, cells)))
        elif written != csv_line(COLUMNS):
            yield FileRow(line, None)


def _record(written: str, format: Format, parse: Callable[[], Any]) -> Row | None:
    """The record that a line holds, if writing it again gives the same line."""
    try:
        row = _Record.model_validate(parse()).model_dump()
        same = _written(row, format) == written
    except (ValidationError, ValueError, TypeError, KeyError, RecursionError):
        return None
    is_end = row["kind"] == EXPORT_END
    return row if same and is_end == (row["sequence"] is None) else None


def _written(row: Row, format: Format) -> str:
    if format == "jsonl":
        return canonical({name: row[name] for name in COLUMNS}) + "\n"
    return csv_line([_to_cell(name, row[name]) for name in COLUMNS])


def _to_cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in STRUCTURES or name in NUMBERS or name == "sequence":
        return canonical(value)
    return to_cell(value)


def _from_cells(cells: list[str]) -> dict[str, Any]:
    return {name: _from_cell(name, cell) for name, cell in zip(COLUMNS, cells, strict=True)}


def _from_cell(name: str, cell: str) -> Any:
    if name in STRUCTURES or name in NUMBERS or name == "sequence":
        return None if cell == "" else json.loads(cell)
    if cell == "" and name in TEXTS:
        return None
    return from_cell(cell)
