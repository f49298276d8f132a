"""What happens to a text on its way: errors of text recognition, wrapped lines, cells one below the other, pages."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from eval.extraction.generator.grammar import Segment

_CONFUSED = {"l": "1", "O": "0", "o": "0", "I": "l", "S": "5", "B": "8", "m": "rn", "e": "c", "t": "f", "g": "q",
             "rn": "m", "h": "b", "i": "j"}  # fmt: skip
MISREAD_SHARE = 0.35
_MISREAD_RATE = 0.012
_NAME_RATE = 0.004
_STACKED_SHARE = 0.3
_PAGE_CHARS = 2600


def blemish(
    segments: Sequence[Segment], rng: random.Random, *, prose: bool, misread_share: float = MISREAD_SHARE
) -> tuple[list[Segment], str]:
    """The segments as they are read again, and the text they make up.

    Letters are misread anywhere but in values that are not texts; a gold text is what the document says afterwards.
    """
    marred = list(segments)
    if rng.random() < misread_share:
        marred = [_misread(segment, rng) for segment in segments]
    text = "".join(segment.text for segment in marred)
    if prose:
        text = _paged(_wrapped(text, rng), rng)
    elif rng.random() < _STACKED_SHARE:
        text = re.sub(r" {2,}(?=\S)", "\n", "\n".join(line.strip() for line in text.split("\n")))
    return marred, text.strip("\n") + "\n"


def _misread(segment: Segment, rng: random.Random) -> Segment:
    if segment.value is not None or any(char.isdigit() for char in segment.text if segment.field):
        return segment
    rate = _NAME_RATE if segment.field else _MISREAD_RATE
    text = "".join(_CONFUSED[char] if char in _CONFUSED and rng.random() < rate else char for char in segment.text)
    return replace(segment, text=text)


def _wrapped(text: str, rng: random.Random) -> str:
    """Paragraphs broken at a width, so that values run over line ends; some documents are not wrapped at all."""
    if rng.random() < 0.25:
        return text
    width = rng.randint(56, 110)
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            if line and len(line) + 1 + len(word) > width:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        lines.append(line)
    return "\n".join(lines)


def _paged(text: str, rng: random.Random) -> str:
    """Long texts get page breaks with a page number between two lines."""
    if len(text) < _PAGE_CHARS or rng.random() < 0.4:
        return text
    pages: list[str] = []
    page: list[str] = []
    for line in text.split("\n"):
        page.append(line)
        # Never inside a paragraph, so that no page number comes into a value.
        if sum(map(len, page)) > _PAGE_CHARS and not line.strip():
            pages.append("\n".join(page))
            page = []
    pages.append("\n".join(page))
    return "\f".join(f"{text}\n- {number} -\n" for number, text in enumerate(pages, 1))
