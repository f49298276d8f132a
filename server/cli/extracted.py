"""A file of extractions, JSON lines or CSV: one record a document. After a kill it is gone on with."""

from __future__ import annotations

import csv
import fcntl
import hashlib
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from pydantic import BaseModel, Field, ValidationError

from server.csv_cells import csv_line, from_cell, to_cell
from tools.errors import InputError
from tools.extraction.schemas import resolve_schema

FORMATS = (".jsonl", ".csv")
# The text is in the document that `path` names, and `document_id` is that of stored documents.
_LEFT_OUT = ("source_text", "document_id")
_ABOUT = ("path", "sha256", "schema", "schema_sha256", "error", "message")
_JSONL_START = b'{"path":"'


@dataclass(frozen=True)
class Target:
    """What a file's documents are read into; `columns` are the fields at the schema's top."""

    name: str
    sha256: str
    columns: tuple[str, ...]

    @classmethod
    def of(cls, schema: str | Mapping[str, Any]) -> Target:
        """The target that a schema is.

        Raises:
            InputError: as `resolve_schema`.
        """
        resolved = resolve_schema(schema)
        columns = tuple(resolved.root.members)
        # In the schema's own order, which is that of the columns.
        identity = [schema, columns] if isinstance(schema, str) else schema
        return cls(resolved.name, hashlib.sha256(orjson.dumps(identity)).hexdigest(), columns)


class Entry(BaseModel):
    """What is read of a record to go on: which document it is about, and whether that failed."""

    path: str
    sha256: str | None
    schema_name: str = Field(alias="schema")
    schema_sha256: str
    error: Any

    @property
    def key(self) -> tuple[str, str | None]:
        """Names a version of a document."""
        return self.path, self.sha256


@dataclass(frozen=True)
class Document:
    """A file that was read; `sha256` is that of its bytes, `None` where they could not be read."""

    path: str
    sha256: str | None


class ExtractionFile:
    """An open file of extractions. A record is with the system, and survives a kill, when `add` returns."""

    def __init__(self, file: FileIO, path: Path, target: Target, entries: Iterable[Entry]) -> None:
        """Add to `file`, opened from `path`, which holds `entries` and no half record."""
        self._file = file
        self._path = path
        self._target = target
        self._failed = {entry.key: entry.error is not None for entry in entries}

    def failed(self, document: Document) -> bool | None:
        """Whether a document that is in the file had failed; `None` for one that is not in it."""
        return self._failed.get((document.path, document.sha256))

    def add(self, document: Document, result: Mapping[str, Any] | InputError) -> None:
        """Keep what came of a document.

        Raises:
            InputError: `unwritable_output`, the disk does not take it.
        """
        record = _record(document, self._target, result)
        self._failed[document.path, document.sha256] = record["error"] is not None
        line = _csv_record(record, self._target) if _is_csv(self._path) else orjson.dumps(record) + b"\n"
        try:
            _write(self._file, line)
        except OSError as error:
            raise _unwritable(self._path, error) from None


@contextmanager
def open_extractions(path: Path, target: Target) -> Generator[ExtractionFile]:
    """Open a file to go on with, or make it. A half-written record at its end is cut off.

    Raises:
        InputError: `unwritable_output`; `output_in_use`, another process writes it; `schema_mismatch`, it holds
            extractions into another schema; `invalid_output`, it is no file of extractions. Nothing is changed then.
    """
    try:
        # Without a buffer: what a full disk did not take must not come later, behind an error.
        file = path.open("ab", buffering=0)
    except OSError as error:
        raise _unwritable(path, error) from None
    with file:
        _lock(file, path)
        try:
            entries = _resumed(file, path, target)
        except OSError as error:
            raise _unwritable(path, error) from None
        yield ExtractionFile(file, path, target, entries)


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path} cannot be written: {error.strerror} (unwritable_output).", code="unwritable_output")


def _write(file: FileIO, content: bytes) -> None:
    while content:
        content = content[file.write(content) :]


def _lock(file: FileIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"Another process writes {path} (output_in_use).", code="output_in_use") from None


def _resumed(file: FileIO, path: Path, target: Target) -> list[Entry]:
    """The file's entries; it ends behind the last whole record afterwards."""
    head = csv_line(_header(target)).encode() if _is_csv(path) else b""
    entries: list[Entry] = []
    end = 0
    with path.open("rb") as written:
        try:
            for entry, behind in _read_csv(written) if head else _read_jsonl(written):
                if entry is not None:
                    _require_same(entry, target, path)
                    entries.append(entry)
                end = behind
        except (ValidationError, csv.Error):
            raise _foreign(path, f"after {len(entries)} records") from None
        written.seek(end)
        start = head or _JSONL_START
        if end == 0 and not _begins(written.read(len(start)), start):
            raise _foreign(path, "from its beginning")
    file.truncate(end if entries else 0)
    if not entries:
        _write(file, head)
    return entries


def _begins(rest: bytes, start: bytes) -> bool:
    """Whether one is the beginning of the other."""
    return rest.startswith(start) or start.startswith(rest)


def _foreign(path: Path, where: str) -> InputError:
    return InputError(
        f"{path} is no file of extractions, {where}: choose another --output (invalid_output).", code="invalid_output"
    )


def _require_same(entry: Entry, target: Target, path: Path) -> None:
    if entry.schema_sha256 != target.sha256:
        other = entry.schema_name if entry.schema_name != target.name else f"another schema called {target.name}"
        raise InputError(
            f"{path} holds extractions into {other}, not into this {target.name}: choose another --output "
            "(schema_mismatch).",
            code="schema_mismatch",
        )


def _whole_lines(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """The lines that were written to their end, each with the offset behind it. Every record is one line."""
    end = 0
    for line in file:
        if line.endswith(b"\n"):
            end += len(line)
            yield line, end


def _read_jsonl(file: BinaryIO) -> Iterator[tuple[Entry | None, int]]:
    for line, end in _whole_lines(file):
        yield Entry.model_validate_json(line), end


def _read_csv(file: BinaryIO) -> Iterator[tuple[Entry | None, int]]:
    """`None` stands for the header."""
    csv.field_size_limit(sys.maxsize)
    columns: list[str] | None = None
    for line, end in _whole_lines(file):
        cells = next(csv.reader([line.decode("utf-8", "surrogateescape")], strict=True))
        if columns is None:
            columns = cells
            yield _check_header(cells), end
        else:
            yield _csv_entry(cells, columns), end


def _check_header(cells: list[str]) -> None:
    if tuple(cells[: len(_ABOUT)]) != _ABOUT:
        raise csv.Error("the header is another one")


def _csv_entry(cells: list[str], columns: list[str]) -> Entry:
    if len(cells) != len(columns):
        raise csv.Error("the record has other columns")
    about = dict(zip(_ABOUT, map(from_cell, cells), strict=False))
    return Entry.model_validate(about | {"sha256": about["sha256"] or None, "error": about["error"] or None})


def _header(target: Target) -> list[str]:
    return [*_ABOUT, *map(_cell, target.columns)]


def _record(document: Document, target: Target, result: Mapping[str, Any] | InputError) -> dict[str, Any]:
    about: dict[str, Any] = {
        "path": document.path,
        "sha256": document.sha256,
        "schema": target.name,
        "schema_sha256": target.sha256,
    }
    if isinstance(result, InputError):
        return {**about, "error": {"code": result.code, "message": result.message}}
    kept = {name: value for name, value in result.items() if name not in _LEFT_OUT}
    return {**about, "error": None, **kept}


def _csv_record(record: Mapping[str, Any], target: Target) -> bytes:
    error: Mapping[str, str] = record["error"] or {}
    values = [*(record[name] for name in _ABOUT[:4]), error.get("code"), error.get("message")]
    data: Mapping[str, Any] = record.get("data", {})
    values += [data.get(name) for name in target.columns]
    return csv_line(map(_cell, values)).encode("utf-8")


def _cell(value: Any) -> str:
    """Text on one line, behind a quote where it could be a formula; nothing for null; everything else as JSON."""
    if value is None:
        return ""
    return to_cell(" ".join(value.splitlines())) if isinstance(value, str) else orjson.dumps(value).decode()
