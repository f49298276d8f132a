"""What parsers share: the limits they keep and the document they return, before repair and titles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class ParseLimits:
    """What one file may cost. Sizes are bytes unless the name says otherwise."""

    max_bytes: int = 50 * MEBIBYTE
    max_pages: int = 2000
    max_characters: int = 10_000_000
    max_inflated_bytes: int = 256 * MEBIBYTE
    max_inflate_ratio: int = 200
    max_archive_members: int = 2000
    memory_bytes: int = 1024 * MEBIBYTE
    cpu_seconds: int = 90
    wall_seconds: float = 180.0


DEFAULT_LIMITS = ParseLimits()


@dataclass(frozen=True)
class RawPage:
    """Text of one page; `number` is `None` for formats without pages."""

    text: str
    number: int | None = None


@dataclass(frozen=True)
class RawDocument:
    """A parsed file. `title` is only what the file itself declares; headings in `pages` are Markdown (`## ...`)."""

    pages: Sequence[RawPage]
    title: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])
