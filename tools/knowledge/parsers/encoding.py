"""Bytes to text: byte-order marks, UTF-8, UTF-16 without a mark, a declared charset, else Windows-1252."""

from __future__ import annotations

import codecs
import re

from tools.errors import DocumentError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARABLE = re.compile(r"(?i)(utf-?(8|16)(le|be)?|iso-8859-\d+|latin-?\d|windows-?125\d|cp125\d|koi8-[ru]|us-ascii"
                         r"|shift[_-]jis|euc-(jp|kr)|gb(k|2312|18030)|big5)")  # fmt: skip
_UNUSUAL_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_ESCAPED = re.compile("[\udc80-\udcff]")
_UNDEFINED_1252 = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
_WINDOWS_1252 = {
    0xDC00 + byte: bytes([byte]).decode("cp1252") for byte in range(0x80, 0x100) if byte not in _UNDEFINED_1252
}
_SAMPLE = 65536
_MAX_CONTROL_SHARE = 0.01
_MAX_FOREIGN_SHARE = 0.3


def is_binary(data: bytes) -> bool:
    """Return whether `data` cannot be text in any encoding that `decode` knows."""
    sample = data[:_SAMPLE]
    if sample.startswith(tuple(mark for mark, _ in _MARKS)) or _unmarked_utf16(sample):
        return False
    controls = len(_UNUSUAL_CONTROLS.findall(sample))
    # An odd NUL is repaired away; many control characters mean that this never was text.
    return controls > max(1, len(sample) * _MAX_CONTROL_SHARE)


def decode(data: bytes, declared: str | None = None) -> str:
    """Decode a text file.

    `declared` is a charset that the file names (a meta tag, a mail header); it is tried after UTF-8. A UTF-8 file with
    some Windows-1252 bytes in it is read as both.

    Raises:
        DocumentError: `bad_encoding`.
    """
    encoding = _certain_encoding(data)
    for candidate in (encoding, "utf-8", declared):
        if candidate is None or not (candidate == encoding or _DECLARABLE.fullmatch(candidate)):
            continue
        try:
            return data.decode(candidate)
        except (UnicodeDecodeError, LookupError):
            continue
    return _decode_with_fallback(data)


def _certain_encoding(data: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    return _unmarked_utf16(data[:_SAMPLE])


def _unmarked_utf16(sample: bytes) -> str | None:
    """Western text in UTF-16 has a NUL in every other byte."""
    even, odd = sample[0::2], sample[1::2]
    if len(odd) < 2:
        return None
    even_nuls, odd_nuls = even.count(0) / len(even), odd.count(0) / len(odd)
    if odd_nuls > 0.6 and even_nuls < 0.1:
        return "utf-16-le"
    if even_nuls > 0.6 and odd_nuls < 0.1:
        return "utf-16-be"
    return None


def _decode_with_fallback(data: bytes) -> str:
    text = data.decode("utf-8", errors="surrogateescape")
    foreign = _ESCAPED.findall(text)
    # Cyrillic, Greek or CJK text in a legacy encoding would come out as accented gibberish: mostly foreign bytes.
    if len(foreign) > _MAX_FOREIGN_SHARE * len(data) or not _WINDOWS_1252.keys() >= {ord(byte) for byte in foreign}:
        raise _bad_encoding()
    return text.translate(_WINDOWS_1252)


def _bad_encoding() -> DocumentError:
    return DocumentError(
        "The text's encoding cannot be recognised. Save the file as UTF-8 and upload it again.", code="bad_encoding"
    )
