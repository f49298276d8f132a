"""PDF text page by page: paragraphs and headings as they stand, tables as pipe tables, columns in reading order."""

from __future__ import annotations

import logging
import re
from collections import Counter
from io import BytesIO

from pypdf import PageObject, PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, PyPdfError

from tools.errors import DocumentError
from tools.knowledge.parsers.layout import render
from tools.knowledge.parsers.raw import ParseLimits, RawDocument, RawPage
from tools.knowledge.unicode import join_hyphenated, repair, vocabulary

logging.getLogger("pypdf").setLevel(logging.CRITICAL)

# Symbol fonts put their bullet on a control or private-use character.
_BULLETS = str.maketrans({"\x7f": "•", "\uf0b7": "•", "\uf0a7": "•"})
_PAGE_NUMBER = re.compile(r"(?i)\W*(?:page\s*)?(?:\d{1,4}|[ivxl]{1,6})(?:\s*(?:of|/)\s*\d{1,4})?\W*")
_NUMBER_ONLY = "page number"
_MIN_LINES_WITH_RUNNING = 3
_MIN_PAGES_FOR_RUNNING_LINES = 3
_RUNNING_LINE_SHARE = 0.6
_MAX_LOST_SHARE = 0.05


def parse(data: bytes, limits: ParseLimits) -> RawDocument:
    """Read the text layer of a PDF; pages without text are left out and counted in `metadata`.

    Raises:
        DocumentError: `encrypted_pdf`, `too_many_pages`, `no_text` or `corrupt_document`.
    """
    reader = _open(data)
    count = len(reader.pages)
    if count > limits.max_pages:
        raise DocumentError(
            f"The PDF has {count} pages; at most {limits.max_pages} can be read. Split it into smaller files.",
            code="too_many_pages",
            pages=count,
            limit=limits.max_pages,
        )
    texts = _without_running_lines([repair(_page_text(page)) for page in reader.pages])
    words = vocabulary(texts)
    pages = [RawPage(join_hyphenated(text, words), number) for number, text in enumerate(texts, start=1) if text]
    if not any(character.isalnum() for page in pages for character in page.text):
        raise DocumentError(
            "The PDF holds no text: it seems to be a scan. Text recognition (SWITCHYARD_OCR_COMMAND) is not "
            "configured here; upload a PDF with a text layer.",
            code="no_text",
            pages=count,
        )
    title = reader.metadata.title if reader.metadata else None
    return RawDocument(pages, title=title, metadata={"pages": count, "pages_without_text": count - len(pages)})


def _open(data: bytes) -> PdfReader:
    try:
        reader = PdfReader(BytesIO(data))
        # Many PDFs are encrypted with an empty user password: anyone may read those.
        if reader.is_encrypted and not reader.decrypt(""):
            raise _encrypted()
    except (DependencyError, FileNotDecryptedError):
        raise _encrypted() from None
    return reader


def _encrypted() -> DocumentError:
    return DocumentError(
        "The PDF is protected by a password. Remove the protection and upload it again.", code="encrypted_pdf"
    )


def _page_text(page: PageObject) -> str:
    """Lay the page out on a character grid to see its tables; fall back to the order of the content stream.

    The grid leaves out rotated text and text inside form objects, and interleaves columns of prose.
    """
    plain = page.extract_text().translate(_BULLETS)
    try:
        grid = page.extract_text(extraction_mode="layout").translate(_BULLETS)
    except (PyPdfError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
        return plain
    if _letters(grid) < (1 - _MAX_LOST_SHARE) * _letters(plain):
        return plain
    rendered = render(grid)
    return plain if rendered is None else rendered


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _without_running_lines(pages: list[str]) -> list[str]:
    """Drop page headers and footers: first or last lines that most pages share up to their own page number.

    On the first page they stay, unless they only number it.
    """
    if len(pages) < _MIN_PAGES_FOR_RUNNING_LINES:
        return pages
    lines = [page.splitlines() for page in pages]
    edges = [{_pattern(line, number) for line in (*page[:1], *page[-1:])} for number, page in enumerate(lines, start=1)]
    shared = Counter(pattern for edge in edges for pattern in edge)
    running = {pattern for pattern, count in shared.items() if count >= _RUNNING_LINE_SHARE * len(pages)}
    return [
        _trimmed(page, number, running if number > 1 else running & {_NUMBER_ONLY})
        for number, page in enumerate(lines, start=1)
    ]


def _pattern(line: str, page_number: int) -> str:
    """What a running line has in common with those of other pages."""
    if _PAGE_NUMBER.fullmatch(line):
        return _NUMBER_ONLY
    return re.sub(rf"\b{page_number}\b", "#", line)


def _trimmed(lines: list[str], number: int, running: set[str]) -> str:
    # A page of one or two lines has no room for headers: what repeats there is content.
    if len(lines) >= _MIN_LINES_WITH_RUNNING and _pattern(lines[0], number) in running:
        lines = lines[1:]
    if len(lines) >= _MIN_LINES_WITH_RUNNING - 1 and _pattern(lines[-1], number) in running:
        lines = lines[:-1]
    return "\n".join(lines).strip()
