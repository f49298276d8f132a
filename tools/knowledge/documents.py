"""The data that flows through ingestion and retrieval: documents, pages, chunks and retrieved passages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.ports import Span


@dataclass(frozen=True)
class Page:
    """One page of text. `number` starts at 1 for paged formats and is `None` for formats without pages."""

    text: str
    number: int | None = None


@dataclass(frozen=True)
class ParsedDocument:
    """A file turned into text: what `tools.knowledge.load` returns."""

    title: str
    pages: Sequence[Page]
    media_type: str
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def text(self) -> str:
        """All pages joined by a form feed; chunk offsets count in this text."""
        return PAGE_BREAK.join(page.text for page in self.pages)


PAGE_BREAK = "\f"


@dataclass(frozen=True)
class Chunk:
    """A span of a document that is embedded and retrieved as one.

    `text == document.text[start:end]`; `heading` is the path of headings above it, outermost first. `context` is text
    from before the chunk that it cannot be understood without: the header row of a table that was split. `left_out` are
    spans of `text` that are not embedded (see `tools.knowledge.chunk_around`).
    """

    ordinal: int
    text: str
    start: int
    end: int
    page: int | None
    heading: tuple[str, ...] = ()
    context: str = ""
    left_out: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Passage:
    """A retrieved chunk with its scores.

    `dense` is the cosine to the query (-1..1), `sparse` the BM25 score (>= 0), `score` the fused score that orders
    results; a leg that did not return the chunk leaves its score `None`. `agreement` (0 to 1) is 1 where both legs rank
    it first. `context` is the chunk's. `sentence_vectors` are packed by `tools.knowledge.sentence_vectors`; empty in
    collections written before they existed.
    """

    chunk_id: str
    document_id: str
    title: str
    text: str
    page: int | None
    heading: tuple[str, ...]
    score: float
    dense: float | None = None
    sparse: float | None = None
    agreement: float = 0.0
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    context: str = ""
    sentence_vectors: str = ""


@dataclass(frozen=True)
class Retrieval:
    """Passages, best first, chosen from `corpus_size` chunks of a collection whose content had `corpus_version`."""

    passages: Sequence[Passage]
    corpus_size: int
    corpus_version: str
