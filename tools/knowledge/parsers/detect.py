"""Which format a file has: its content decides, its name only chooses between kinds of text."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePosixPath

from tools.errors import DocumentError
from tools.knowledge.parsers.archive import member_names
from tools.knowledge.parsers.encoding import is_binary
from tools.knowledge.parsers.raw import ParseLimits


class Format(StrEnum):
    """The formats that can be read; the value is the media type."""

    TEXT = "text/plain"
    MARKDOWN = "text/markdown"
    HTML = "text/html"
    CSV = "text/csv"
    EML = "message/rfc822"
    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


ACCEPTED = "PDF, DOCX, HTML, Markdown, plain text, CSV and EML"

_BY_EXTENSION = {
    ".txt": Format.TEXT,
    ".text": Format.TEXT,
    ".log": Format.TEXT,
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".xhtml": Format.HTML,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".eml": Format.EML,
    ".pdf": Format.PDF,
    ".docx": Format.DOCX,
}
EXTENSIONS = frozenset(_BY_EXTENSION)
# Names that promise something which text content cannot be.
_BINARY_EXTENSIONS = frozenset(
    ".pdf .docx .doc .xls .xlsx .ppt .pptx .odt .rtf .zip .gz .png .jpg .jpeg .gif .tif .tiff .webp .bmp .exe"
    " .dll".split()
)
_SIGNATURES = (
    (re.compile(rb"\x7fELF|\xcf\xfa\xed\xfe|\xce\xfa\xed\xfe|\xca\xfe\xba\xbe|\x00asm"), "a program"),
    (re.compile(rb"MZ(?=.{0,62}\x00)", re.DOTALL), "a Windows program"),
    (
        re.compile(rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|II\*\x00|MM\x00\*|BM.{4}\x00{4}|RIFF.{4}WEBP", re.DOTALL),
        "an image",
    ),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "an old or password-protected Office file"),
    (re.compile(rb"\{\\rtf"), "an RTF file"),
    (re.compile(rb"\x1f\x8b|BZh\d|\xfd7zXZ|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd"), "an archive"),
    (re.compile(rb"SQLite format 3\x00"), "a database"),
    (re.compile(rb"ID3|OggS|RIFF.{4}(WAVE|AVI )|.{4}ftyp", re.DOTALL), "a sound or video file"),
)
_PDF_MARK = b"%PDF-"
_PDF_MARK_WITHIN = 1024
_ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
_HTML_START = re.compile(
    rb"(?i)\s*(<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*+-->\s*+)*+<(!doctype\s+html|html|head|body)\b", re.DOTALL
)
_MAIL_HEADER = re.compile(rb"(?im)^(from|date|subject|message-id|mime-version|received|return-path|delivered-to):")
_HEAD = 4096


def detect(data: bytes, filename: str, limits: ParseLimits) -> Format:
    """Return the format of a file that is not empty.

    Raises:
        DocumentError: `unsupported_type`, `type_mismatch`, `corrupt_document` or `archive_bomb`.
    """
    extension = PurePosixPath(filename.lower()).suffix
    promised = _BY_EXTENSION.get(extension)
    found = _binary_format(data, extension, limits) or _text_format(data, promised, extension)
    compatible = promised in (None, found) or (promised is Format.TEXT and found is Format.HTML)
    if not compatible or (found not in (Format.PDF, Format.DOCX) and extension in _BINARY_EXTENSIONS):
        raise _mismatch(extension, found)
    return found


def _binary_format(data: bytes, extension: str, limits: ParseLimits) -> Format | None:
    for signature, what in _SIGNATURES:
        if signature.match(data):
            raise _unsupported(what)
    if _PDF_MARK in data[:_PDF_MARK_WITHIN]:
        return Format.PDF
    if data.startswith(_ZIP_MARKS):
        if "word/document.xml" in member_names(data, limits):
            return Format.DOCX
        raise _unsupported("an archive or another Office format")
    if is_binary(data):
        if extension in _BY_EXTENSION:
            raise _mismatch(extension, None)
        raise _unsupported("a binary file of an unknown kind")
    return None


def _text_format(data: bytes, promised: Format | None, extension: str) -> Format:
    head = data[:_HEAD]
    if _HTML_START.match(head.removeprefix(b"\xef\xbb\xbf")) and promised is not Format.MARKDOWN:
        return Format.HTML
    if promised is Format.EML and not _MAIL_HEADER.search(head):
        raise _mismatch(extension, Format.TEXT)
    if promised in (None, Format.PDF, Format.DOCX):
        names = {name.lower() for name in _MAIL_HEADER.findall(head.split(b"\n\n", 1)[0])}
        return Format.EML if len(names) >= 3 and b"from" in names else Format.TEXT
    return promised


def _unsupported(what: str) -> DocumentError:
    return DocumentError(f"This is {what}, which cannot be read. Upload {ACCEPTED} files.", code="unsupported_type")


def _mismatch(extension: str, found: Format | None) -> DocumentError:
    content = f"its content is {found.value}" if found else "its content is something else"
    return DocumentError(
        f"The name ends in {extension}, but {content}. Upload the original file with its own extension.",
        code="type_mismatch",
        extension=extension,
        content=found.value if found else None,
    )
