"""ZIP containers, checked for bombs before anything inflates them into memory."""

from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO

from tools.errors import DocumentError
from tools.knowledge.parsers.raw import MEBIBYTE, ParseLimits

_END_RECORD = b"PK\x05\x06"
_END_RECORD_BYTES = 22
_MAX_COMMENT_BYTES = 65535
_DIRECTORY_BYTES_PER_MEMBER = 1024
_SMALL_ENOUGH = 10 * MEBIBYTE
_BLOCK = 65536
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    struct.error,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
)


def member_names(data: bytes, limits: ParseLimits) -> set[str]:
    """Return the names in a ZIP after checking what its directory declares: entries, inflated size and ratio.

    Raises:
        DocumentError: `archive_bomb` or `corrupt_document`.
    """
    _check_directory(data, limits)
    with _open(data) as archive:
        members = archive.infolist()
    declared = sum(member.file_size for member in members)
    _check_size(declared, len(data), limits)
    return {member.filename for member in members}


def read_members(data: bytes, wanted: set[str], limits: ParseLimits) -> dict[str, bytes]:
    """Return the wanted members' bytes after inflating every member in small blocks within the limits.

    Sizes in a ZIP's directory can lie, so what really comes out is counted. Nested archives are never opened.

    Raises:
        DocumentError: `archive_bomb` or `corrupt_document`.
    """
    member_names(data, limits)
    found: dict[str, bytes] = {}
    total = 0
    with _open(data) as archive:
        for member in archive.infolist():
            parts: list[bytes] = []
            try:
                with archive.open(member) as stream:
                    while block := stream.read(_BLOCK):
                        total += len(block)
                        _check_size(total, len(data), limits)
                        if member.filename in wanted:
                            parts.append(block)
            except _BROKEN:
                raise _corrupt() from None
            if member.filename in wanted:
                found[member.filename] = b"".join(parts)
    return found


def _check_directory(data: bytes, limits: ParseLimits) -> None:
    """Look at the end record alone: a directory of a million entries would already fill memory."""
    position = data.rfind(_END_RECORD, max(0, len(data) - _END_RECORD_BYTES - _MAX_COMMENT_BYTES))
    if position < 0 or position + _END_RECORD_BYTES > len(data):
        raise _corrupt()
    entries, directory_bytes = struct.unpack_from("<HI", data, position + 10)
    too_long = directory_bytes > _DIRECTORY_BYTES_PER_MEMBER * limits.max_archive_members
    if entries > limits.max_archive_members or too_long:
        raise _bomb("it holds too many files")


def _check_size(inflated: int, compressed: int, limits: ParseLimits) -> None:
    if inflated > limits.max_inflated_bytes:
        raise _bomb("it unpacks to more than this server accepts")
    if inflated > _SMALL_ENOUGH and inflated > limits.max_inflate_ratio * compressed:
        raise _bomb("it unpacks to many times its size")


def _open(data: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(BytesIO(data))
    except _BROKEN:
        raise _corrupt() from None


def _bomb(why: str) -> DocumentError:
    return DocumentError(
        f"The file was refused because {why}. Save the document again without embedded files, or as PDF.",
        code="archive_bomb",
    )


def _corrupt() -> DocumentError:
    return DocumentError(
        "The file is damaged or incomplete and cannot be opened. Save it again and upload the new copy.",
        code="corrupt_document",
    )
