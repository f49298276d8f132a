"""What of a passage can be quoted: its sentences and table rows, verbatim and as they read on their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tools.knowledge.documents import Passage
from tools.knowledge.sentences import is_rule, is_table_row, split_sentences

MAX_WORDS = 60
_MIN_WORDS = 3
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+")
# What a printed page repeats: "Merchant blacklist policy | Page 1", "- 3 of 12 -".
_PAGE_FURNITURE = re.compile(
    r"(?:[^.!?]{0,100}[|·•–—-]\s*)?(?:page )?\d{1,4}(?: ?(?:of|/) ?\d{1,4})?(?:\s*[|·•–—-][^.!?]{0,100})?",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"[*_`]{1,3}")


@dataclass(frozen=True)
class Reading:
    """A sentence or table row. `quote` is verbatim from the passage, `text` reads well on its own."""

    text: str
    quote: str
    is_row: bool


def readings(passage: Passage) -> list[Reading]:
    """What is worth quoting, in order: no headings, no page furniture, nothing of more than 60 words."""
    header = _header(passage.context) if is_table_row(passage.context) else None
    headings = [" ".join(heading.split()) for heading in (passage.title, *passage.heading)]
    found: list[Reading] = []
    for sentence in split_sentences(passage.text):
        if is_table_row(sentence.text):
            if header is None:
                header = _header(sentence.text)
            elif any(cells := _cells(sentence.text)) and not is_rule(sentence.text):
                found.append(Reading(_row_text(header, cells), sentence.text, is_row=True))
            continue
        header = None
        text = _plain(sentence.text)
        is_heading = _HEADING.match(sentence.text) or any(heading.endswith(text) for heading in headings)
        if not is_heading and not _PAGE_FURNITURE.fullmatch(text) and len(text.split()) >= _MIN_WORDS:
            found.append(Reading(text, sentence.text, is_row=False))
    return [reading for reading in found if len(reading.text.split()) <= MAX_WORDS]


def _header(row: str) -> list[str]:
    # The rule below a header is part of its sentence.
    return _cells(row.split("\n", 1)[0])


def _cells(row: str) -> list[str]:
    return [_plain(cell) for cell in re.split(r"\s*\|\s*|\t+", row.strip().strip("|"))]


def _row_text(header: Sequence[str], cells: Sequence[str]) -> str:
    if len(header) != len(cells):
        return "; ".join(cell for cell in cells if cell)
    return "; ".join(f"{name}: {cell}" for name, cell in zip(header, cells, strict=True) if cell)


def _plain(text: str) -> str:
    without_marker = re.sub(r"^\s*(?:[-*+•▪]|\(?\d{1,3}[.)])\s+", "", text)
    return " ".join(_MARKUP.sub("", without_marker).split())
