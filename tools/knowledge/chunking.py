"""The strategies that cut documents into chunks, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tools.knowledge.chunk import chunk_document
from tools.knowledge.chunk_around import chunk_around
from tools.knowledge.chunk_fixed import chunk_fixed
from tools.knowledge.chunk_semantic import EmbedTexts, topic_breaks
from tools.knowledge.documents import Chunk, ParsedDocument
from tools.knowledge.orders import order_spans
from tools.knowledge.windows import CountTokens

ChunkingStrategy = Literal["fixed", "recursive", "semantic"]

_TOKENS = 200
_OVERLAP = 20


@dataclass(frozen=True)
class ChunkSettings:
    """How a document is cut: sizes in tokens of the embedding model.

    `fixed` counts tokens alone; `recursive` follows headings, tables, lists and sentences; `semantic` does as well, and
    ends chunks where the topic changes, which takes an embedding of every sentence.
    """

    size: int = _TOKENS
    overlap: int = _OVERLAP
    strategy: ChunkingStrategy = "recursive"


def cut_document(
    document: ParsedDocument, settings: ChunkSettings, *, count_tokens: CountTokens, embed: EmbedTexts
) -> list[Chunk]:
    """Cut a document as `settings` say, around orders to whoever answers (see `tools.knowledge.orders`). Blocks.

    Raises `ValueError` unless `0 <= overlap < size`.
    """

    def cut(document: ParsedDocument) -> list[Chunk]:
        if settings.strategy == "fixed":
            return chunk_fixed(document, size=settings.size, overlap=settings.overlap, count_tokens=count_tokens)
        breaks = topic_breaks(document, embed) if settings.strategy == "semantic" else []
        return chunk_document(
            document, size=settings.size, overlap=settings.overlap, count_tokens=count_tokens, breaks=breaks
        )

    return chunk_around(document, order_spans, cut)
