"""Rows of corrections, as the rest of the server sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PASSAGE_CHARS = 420
"""About as much text as a training row of 512 tokens holds beside its question, also where it is full of digits."""
_GAP = "\n...\n"


@dataclass(frozen=True)
class CorrectionSource:
    """What fields were read from: a run's answer, a document or a text. `key` names it among an owner's."""

    key: str
    schema_name: str
    text_sha256: str
    run_id: str | None = None
    document_id: str | None = None


@dataclass(frozen=True)
class CorrectedField:
    """A field as a person has it, in API terms: `evidence` is `{start, end, quote, page}` or `None`.

    `extracted` is `{"value": ...}` with what had been read, or `None` where nobody said.
    """

    field: str
    value: Any
    evidence: Mapping[str, Any] | None
    verbatim: bool
    extracted: Mapping[str, Any] | None
    passage: str


@dataclass(frozen=True)
class CorrectionRow:
    """A stored correction. `created_at` is in seconds since 1970."""

    owner: str
    source: str
    field: str
    run_id: str | None
    document_id: str | None
    schema_name: str
    text_sha256: str
    passage: str
    value: Any
    evidence: Mapping[str, Any] | None
    verbatim: bool
    extracted: Mapping[str, Any] | None
    created_at: float


def passage_around(text: str, places: Sequence[tuple[int, int]]) -> str:
    """The text around places (start and end), at most `PASSAGE_CHARS` of it; its beginning where there is none."""
    if len(text) <= PASSAGE_CHARS:
        return text
    spans: list[list[int]] = []
    room = (PASSAGE_CHARS - len(_GAP) * (len(places) - 1)) // max(1, len(places))
    for start, end in sorted(places or [(0, 0)]):
        middle = (min(start, len(text)) + min(end, len(text))) // 2
        first = max(0, min(middle - room // 2, len(text) - room))
        if spans and first <= spans[-1][1]:
            spans[-1][1] = first + room
        else:
            spans.append([first, first + room])
    return _GAP.join(text[start:end] for start, end in spans)
