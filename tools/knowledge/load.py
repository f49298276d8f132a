"""Files to text: `parse_file` finds the format by content, parses what is risky in a sandbox, and repairs the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath
from threading import Event

from tools.errors import DocumentError
from tools.knowledge.documents import Page, ParsedDocument
from tools.knowledge.ocr import Ocr
from tools.knowledge.parsers import plain
from tools.knowledge.parsers.detect import Format, detect
from tools.knowledge.parsers.raw import DEFAULT_LIMITS, MEBIBYTE, ParseLimits, RawDocument, RawPage
from tools.knowledge.sandbox import parse_sandboxed
from tools.knowledge.unicode import repair

__all__ = ["DEFAULT_LIMITS", "Format", "ParseLimits", "parse_file"]

_IN_PROCESS: dict[Format, Callable[[bytes], RawDocument]] = {
    Format.TEXT: plain.parse_text,
    Format.MARKDOWN: plain.parse_markdown,
    Format.CSV: plain.parse_csv,
}
_HEADING = re.compile(r"^#{1,6}[ \t]+(\S.*)$", re.MULTILINE)
_PLACEHOLDER_TITLE = re.compile(
    r"(?i)\W*(untitled|anonymous|unspecified|no title|title|document\d*|microsoft word\b.*"
    r"|.*\.(docx?|pdf|indd|tex|odt))\W*"
)
_MAX_TITLE = 120


def parse_file(
    data: bytes,
    filename: str,
    limits: ParseLimits = DEFAULT_LIMITS,
    stopping: Event | None = None,
    ocr: Ocr | None = None,
) -> ParsedDocument:
    """Turn a file into repaired text with a title. Blocks; call it from a worker thread.

    A PDF without any text goes through `ocr` first. Once `stopping` is set, a parser in a subprocess is ended.

    Raises:
        DocumentError: with the code `empty_document`, `file_too_large`, `unsupported_type`, `type_mismatch`,
            `encrypted_pdf`, `corrupt_document`, `no_text`, `too_many_pages`, `archive_bomb`, `bad_encoding`,
            `parse_timeout`, `document_too_complex`, `ocr_failed`, `ocr_timeout` or `interrupted`.
    """
    name = PurePosixPath(filename.replace("\\", "/")).name
    if not data or data.isspace():
        raise _empty()
    if len(data) > limits.max_bytes:
        raise DocumentError(
            f"The file has {len(data) / MEBIBYTE:.0f} MiB; at most {limits.max_bytes / MEBIBYTE:.0f} MiB can be read. "
            "Split it into smaller files.",
            code="file_too_large",
            bytes=len(data),
            limit=limits.max_bytes,
        )
    format_ = detect(data, name, limits)
    document = _parse(format_, data, limits, stopping or Event(), ocr)
    pages = [Page(page.text, page.number) for page in document.pages if page.text]
    if not pages:
        raise _empty()
    title = _title(document.title, format_, pages[0].text, name)
    return ParsedDocument(title, pages, format_.value, {"filename": repair(name), **document.metadata})


def _parse(format_: Format, data: bytes, limits: ParseLimits, stopping: Event, ocr: Ocr | None) -> RawDocument:
    if format_ is Format.PDF and ocr is not None:
        return _parse_scan(data, limits, stopping, ocr)
    if format_ not in _IN_PROCESS:
        return parse_sandboxed(format_, data, limits, stopping)
    document = _IN_PROCESS[format_](data)
    if sum(len(page.text) for page in document.pages) > limits.max_characters:
        raise DocumentError(
            f"The file holds more than {limits.max_characters:,} characters. Split it into smaller files.",
            code="file_too_large",
        )
    return replace(document, pages=[RawPage(repair(page.text), page.number) for page in document.pages])


def _parse_scan(data: bytes, limits: ParseLimits, stopping: Event, ocr: Ocr) -> RawDocument:
    """A PDF, by its text layer or, where it has none, by the one that text recognition gives it."""
    try:
        return parse_sandboxed(Format.PDF, data, limits, stopping)
    except DocumentError as error:
        if error.code != "no_text":
            raise
    try:
        document = parse_sandboxed(Format.PDF, ocr.searchable(data, stopping), limits, stopping)
    except DocumentError as error:
        if error.code != "no_text":
            raise
        raise DocumentError("The PDF is a scan in which no text was recognised.", code="no_text") from None
    return replace(document, metadata={**document.metadata, "ocr": True})


def _title(declared: str | None, format_: Format, text: str, name: str) -> str:
    """Choose what the file declares, its first heading, its first line or its name, in this order."""
    candidates = [(declared or "")[: 2 * _MAX_TITLE]]
    if _PLACEHOLDER_TITLE.fullmatch(candidates[0]):
        candidates = []
    if format_ not in (Format.PDF, Format.TEXT, Format.CSV) and (match := _HEADING.search(text)):
        candidates.append(match.group(1).rstrip("# \t"))
    first_line = text.split("\n", 1)[0].strip("#|*_=- \t").split(" | ", 1)[0]
    if format_ is not Format.CSV and not first_line.endswith((".", ",", ";", ":")):
        candidates.append(first_line)
    candidates.append(PurePosixPath(name).stem.replace("_", " "))
    usable = (title for title in map(_cleaned, candidates) if title and len(title) <= _MAX_TITLE)
    return next(usable, "Untitled")


def _cleaned(title: str) -> str:
    return " ".join(repair(title).split())


def _empty() -> DocumentError:
    return DocumentError("The file is empty. Upload a file that contains text.", code="empty_document")
