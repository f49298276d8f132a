"""Texts that are none of the built-in kinds, from local files that are not part of this project (reading passages)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from tools.errors import InputError

Half = Literal["develop", "report"]
_PASSAGES = (1, 6, 10_000)
"""How many passages on end make up a text: one, a page, the whole article."""


class _Row(BaseModel):
    title: str
    passage: str


def read_articles(path: Path, half: Half) -> Iterator[tuple[str, str]]:
    """(title, text) of passages, pages and whole articles; all of one title are in the same half.

    Raises:
        InputError: the file cannot be read or a line does not fit.
    """
    for title, passages in _by_title(path).items():
        if zlib.crc32(title.encode()) % 2 == (half == "report"):
            for size in _PASSAGES:
                yield from ((title, text) for text in _joined(passages, size))


def _joined(passages: Sequence[str], size: int) -> Iterator[str]:
    for start in range(0, len(passages), size):
        yield "\n\n".join(passages[start : start + size])


def _by_title(path: Path) -> dict[str, list[str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", code="unreadable_file") from None
    found: dict[str, dict[str, None]] = {}
    for number, line in enumerate(lines, start=1):
        try:
            row = _Row.model_validate_json(line)
        except ValidationError as error:
            problem = error.errors()[0]["msg"]
            raise InputError(f"{path.name}, line {number}: {problem}", code="invalid_input") from None
        found.setdefault(row.title, {})[row.passage] = None
    return {title: list(passages) for title, passages in found.items()}
