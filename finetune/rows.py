"""Labelled rows from JSONL or CSV: one reader for training, evaluation and everything between."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from finetune.errors import RowsError

_T = TypeVar("_T")

MAX_BYTES = 2 * 1024**3
_TEXT_COLUMN = "text"
_LABEL_COLUMN = "label"
_DELIMITERS = (",", ";", "\t", "|")
_MAX_FIELD_CHARS = 1_000_000


@dataclass(frozen=True)
class Row:
    """One labelled text.

    `attributes` holds the file's other columns, e.g. `kind` (evaluation slices), `group` (customer) and
    `paraphrases` (the same facts in other words).
    """

    text: str
    label: str
    number: int
    """Position in its file, from 1."""
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def paraphrases(self) -> list[str]:
        """The same facts in other words; empty where the file has none."""
        found = self.attributes.get("paraphrases")
        return [str(text) for text in cast("list[object]", found)] if isinstance(found, list) else []


def read_rows(path: Path) -> list[Row]:
    """Read `{"text", "label"}` or chat rows from `.jsonl`, or `text,label` from `.csv`.

    Raises RowsError: the file is missing, empty, too large, not UTF-8 text, or rows are unusable (all are listed).
    """
    return _read(path, (_TEXT_COLUMN, _LABEL_COLUMN), _row)


def read_texts(path: Path) -> list[str]:
    """Read the texts of rows as for `read_rows`, which need no label. Raises RowsError as that does."""
    return _read(path, (_TEXT_COLUMN,), lambda number, record: _text(record))


def _read(path: Path, wanted: Sequence[str], parse: Callable[[int, Mapping[str, Any]], _T]) -> list[_T]:
    records = _read_csv(path, set(wanted)) if path.suffix.lower() == ".csv" else _read_json_lines(path)
    found: list[_T] = []
    problems: dict[int, str] = {}
    for number, record in records:
        try:
            found.append(parse(number, record))
        except ValueError as error:
            problems[number] = str(error)
    if problems:
        raise RowsError(f"{path.name} has unusable rows.", problems)
    if not found:
        raise RowsError(f"{path.name} holds no rows.", code="empty_file")
    return found


def rows_sha256(rows: Iterable[Row]) -> str:
    """SHA-256 over texts and labels, in order: what a model was really trained on."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps([row.text, row.label], ensure_ascii=False).encode())
    return digest.hexdigest()


def read_text(path: Path) -> str:
    """The file's text. Raises RowsError when it is missing, too large or not UTF-8."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise RowsError(f"{path.name} has {size:,} bytes; split it below {MAX_BYTES:,}.", code="file_too_large")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise RowsError(f"{path} cannot be read: {error.strerror}.", code="unreadable_file") from None
    except UnicodeDecodeError as error:
        raise RowsError(
            f"{path.name} is not UTF-8 text (byte {error.start:,}). Save it as UTF-8.", code="not_utf8"
        ) from None
    if "\x00" in text:
        raise RowsError(f"{path.name} is a binary file, not CSV or JSONL.", code="binary_file")
    return text


def _read_json_lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    number = 0
    problems: dict[int, str] = {}
    for line in read_text(path).split("\n"):
        if not line.strip():
            continue
        number += 1
        try:
            record: object = json.loads(line)
        except ValueError as error:
            problems[number] = f"no JSON ({error})"
            continue
        if not isinstance(record, dict):
            problems[number] = "no JSON object"
            continue
        yield number, cast("dict[str, Any]", record)
    if problems:
        raise RowsError(f"{path.name} is not JSON Lines.", problems, code="invalid_json")


def _read_csv(path: Path, wanted: set[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    text = read_text(path)
    header = text.partition("\n")[0]
    delimiter = next((mark for mark in _DELIMITERS if wanted <= _columns(header, mark).keys()), ",")
    columns = _columns(header, delimiter)
    if missing := wanted - columns.keys():
        raise RowsError(
            f"{path.name} has no column {' and no column '.join(sorted(missing))}; it has "
            f"{', '.join(columns) or 'none'}. `prepare --data` makes rows from other columns.",
            code="missing_columns",
        )
    csv.field_size_limit(_MAX_FIELD_CHARS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        next(reader)
        for number, values in enumerate((values for values in reader if values), 1):
            yield number, {name: values[at] if at < len(values) else None for name, at in columns.items()}
    except csv.Error as error:
        raise RowsError(f"{path.name} is not CSV (line {reader.line_num}: {error}).", code="invalid_csv") from None


def _columns(header: str, delimiter: str) -> dict[str, int]:
    """Lower-case names of a CSV's columns and their places."""
    names = next(csv.reader([header.strip("\r\n")], delimiter=delimiter), list[str]())
    return {name.strip().lower(): at for at, name in enumerate(names) if name.strip()}


def _row(number: int, record: Mapping[str, Any]) -> Row:
    text = _text(record)
    label = (
        _answered_label(_said(record["messages"], "assistant")) if "messages" in record else record.get(_LABEL_COLUMN)
    )
    others = {key: value for key, value in record.items() if key not in {_TEXT_COLUMN, _LABEL_COLUMN, "messages"}}
    return Row(text, label_name(label), number, others)


def _text(record: Mapping[str, Any]) -> str:
    text: object = _said(record["messages"], "user") if "messages" in record else record.get(_TEXT_COLUMN)
    if not isinstance(text, str) or not text.strip():
        raise ValueError("no text")
    return text.strip()


def label_name(label: object) -> str:
    """A label as its name: 1, 1.0, "1" and true are one class. Raises ValueError for an empty one."""
    if isinstance(label, bool):
        return str(int(label))
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    name = "" if label is None else str(label).strip()
    if not name:
        raise ValueError("no label")
    return name[:-2] if name.endswith(".0") and name[:-2].isdecimal() else name


def _said(messages: object, role: str) -> str:
    """What a role said last in a chat."""
    if not isinstance(messages, list):
        raise ValueError("messages is no list")
    said: dict[str, str] = {}
    for message in cast("list[object]", messages):
        if not isinstance(message, dict):
            raise ValueError("a message is no object")
        fields = cast("dict[str, object]", message)
        said[str(fields.get("role"))] = str(fields.get("content") or "")
    if role not in said:
        raise ValueError(f"a chat row needs a message of the {role}")
    return said[role]


def _answered_label(answer: str) -> str:
    try:
        parsed: object = json.loads(answer)
    except ValueError:
        return answer.strip().split("\n")[0].split(" ")[0].rstrip(".,:;")
    if isinstance(parsed, dict):
        return label_name(cast("dict[str, object]", parsed).get(_LABEL_COLUMN))
    return label_name(parsed)
