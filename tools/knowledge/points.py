"""Chunks as the points of a vector store: embedded, with what a search hit carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tools.knowledge.documents import Chunk, Passage
from tools.knowledge.sentence_vectors import embed_passages
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.store import VectorPoint
from tools.ports import Embedder


def chunk_points(
    document_id: str,
    title: str,
    chunks: Sequence[Chunk],
    *,
    embedder: Embedder,
    bm25: Bm25Encoder,
    metadata: dict[str, Any] | None = None,
) -> list[VectorPoint]:
    """Embed chunks of one document, their sentences included. Blocks."""
    passages = [
        Passage(
            f"{document_id}#{chunk.ordinal}",
            document_id,
            title,
            chunk.text,
            chunk.page,
            chunk.heading,
            0.0,
            metadata=metadata or {},
            context=chunk.context,
        )
        for chunk in chunks
    ]
    embedded = embed_passages(embedder, passages)
    sparse = bm25.encode_passages([one.text for one in embedded])
    return [
        VectorPoint(passage.chunk_id, one.vector, words, _payload(passage, one.sentences))
        for passage, one, words in zip(passages, embedded, sparse, strict=True)
    ]


def _payload(passage: Passage, sentence_vectors: str) -> dict[str, Any]:
    return {
        "chunk_id": passage.chunk_id,
        "document_id": passage.document_id,
        "title": passage.title,
        "text": passage.text,
        "page": passage.page,
        "heading": list(passage.heading),
        "context": passage.context,
        "sentence_vectors": sentence_vectors,
        "metadata": dict(passage.metadata),
    }
