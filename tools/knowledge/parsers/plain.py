"""Plain text, Markdown and CSV: the formats that are read without a sandbox."""

from __future__ import annotations

import csv
import re
from io import StringIO

from tools.errors import DocumentError
from tools.knowledge.parsers.encoding import decode
from tools.knowledge.parsers.raw import RawDocument, RawPage

_FRONT_MATTER_TITLE = re.compile(r"\A---\n(?:.*\n)*?title:[ \t]*[\"']?(.+?)[\"']?[ \t]*\n(?:.*\n)*?---\n")
_SNIFFED = 8192
_FRONT_MATTER = 4096
_MAX_FIELD = 1_000_000


def parse_text(data: bytes) -> RawDocument:
    """Read plain text. Raises `DocumentError` `bad_encoding`."""
    return RawDocument([RawPage(decode(data))])


def parse_markdown(data: bytes) -> RawDocument:
    """Read Markdown as it stands; the title is the front matter's. Raises `DocumentError` `bad_encoding`."""
    text = decode(data).replace("\r\n", "\n")
    match = _FRONT_MATTER_TITLE.match(text[:_FRONT_MATTER])
    return RawDocument([RawPage(text)], title=match.group(1) if match else None)


def parse_csv(data: bytes) -> RawDocument:
    """Read a table with a header row into one paragraph per row, `Column: value; Column: value`.

    Each row then makes sense on its own, however the table is cut into chunks. Empty cells are left out.

    Raises:
        DocumentError: `bad_encoding`, or `corrupt_document` where the rows cannot be told apart.
    """
    text = decode(data)
    rows = _rows(text)
    if not rows:
        return RawDocument([RawPage("")])
    header = [_one_line(cell) or f"Column {number}" for number, cell in enumerate(rows[0], start=1)]
    lines = [_describe(header, row) for row in rows[1:]] or ["; ".join(header)]
    metadata = {"columns": header, "rows": len(rows) - 1}
    return RawDocument([RawPage("\n\n".join(line for line in lines if line))], metadata=metadata)


def _rows(text: str) -> list[list[str]]:
    csv.field_size_limit(_MAX_FIELD)
    try:
        dialect = csv.Sniffer().sniff(text[:_SNIFFED], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    try:
        reader = csv.reader(StringIO(text.replace("\0", ""), newline=""), dialect)
        return [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error:
        raise DocumentError(
            "The CSV's rows cannot be told apart. Check its quotation marks and save it again.", code="corrupt_document"
        ) from None


def _describe(header: list[str], row: list[str]) -> str:
    names = header + [f"Column {number}" for number in range(len(header) + 1, len(row) + 1)]
    return "; ".join(f"{name}: {_one_line(cell)}" for name, cell in zip(names, row, strict=False) if cell.strip())


def _one_line(cell: str) -> str:
    return " ".join(cell.split())
