"""Chunks as the points of a vector store: embedded, with what a search hit carries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tools.knowledge.chunk_around import without_spans
from tools.knowledge.documents import Chunk, Passage
from tools.knowledge.sentence_vectors import embed_passages
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.store import VectorPoint
from tools.ports import Embedder

# Part of every content hash: a new name where the same chunk would be embedded or cut into sentences differently.
_RECIPE = "minilm-l6-v2-int8/1"


@dataclass(frozen=True)
class ChunkPoints:
    """The points of a document's chunks. `embedded` counts those whose vectors are new."""

    points: list[VectorPoint]
    embedded: int


def content_hash(passage: Passage) -> str:
    """SHA-256 of all that a passage's vectors depend on: equal hashes, equal vectors."""
    content = [_RECIPE, passage.title, *passage.heading, passage.context, passage.text]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def by_content(points: Sequence[VectorPoint]) -> dict[str, VectorPoint]:
    """Stored points by content hash; those written before hashes existed are left out."""
    return {point.payload["content_hash"]: point for point in points if "content_hash" in point.payload}


def chunk_points(
    document_id: str,
    title: str,
    chunks: Sequence[Chunk],
    *,
    embedder: Embedder,
    bm25: Bm25Encoder,
    metadata: dict[str, Any] | None = None,
    known: Mapping[str, VectorPoint] | None = None,
) -> ChunkPoints:
    """The chunks of one document with their vectors; only those whose content is not `known` are embedded. Blocks."""
    passages = [_passage(document_id, title, chunk, metadata or {}) for chunk in chunks]
    read = [
        replace(passage, text=without_spans(chunk.text, chunk.left_out)) if chunk.left_out else passage
        for passage, chunk in zip(passages, chunks, strict=True)
    ]
    digests = [content_hash(passage) for passage in read]
    found = dict(known or {})
    new = {digest: passage for digest, passage in zip(digests, read, strict=True) if digest not in found}
    found |= _embedded(new, embedder, bm25)
    placed = [_placed(passage, found[digest]) for passage, digest in zip(passages, digests, strict=True)]
    return ChunkPoints(placed, len(new))


def _passage(document_id: str, title: str, chunk: Chunk, metadata: dict[str, Any]) -> Passage:
    return Passage(
        f"{document_id}#{chunk.ordinal}",
        document_id,
        title,
        chunk.text,
        chunk.page,
        chunk.heading,
        0.0,
        metadata=metadata,
        context=chunk.context,
    )


def _embedded(passages: Mapping[str, Passage], embedder: Embedder, bm25: Bm25Encoder) -> dict[str, VectorPoint]:
    embedded = embed_passages(embedder, list(passages.values()))
    sparse = bm25.encode_passages([one.text for one in embedded])
    return {
        digest: VectorPoint(passage.chunk_id, one.vector, words, _payload(passage, digest, one.sentences))
        for (digest, passage), one, words in zip(passages.items(), embedded, sparse, strict=True)
    }


def _placed(passage: Passage, point: VectorPoint) -> VectorPoint:
    """A point's vectors where the passage stands now: another place, page or metadata does not change them."""
    payload = _payload(passage, point.payload["content_hash"], point.payload["sentence_vectors"])
    return VectorPoint(passage.chunk_id, point.dense, point.sparse, payload)


def _payload(passage: Passage, digest: str, sentence_vectors: str) -> dict[str, Any]:
    return {
        "chunk_id": passage.chunk_id,
        "document_id": passage.document_id,
        "title": passage.title,
        "text": passage.text,
        "page": passage.page,
        "heading": list(passage.heading),
        "context": passage.context,
        "sentence_vectors": sentence_vectors,
        "content_hash": digest,
        "metadata": dict(passage.metadata),
    }


def passage_of(
    payload: Mapping[str, Any],
    score: float,
    *,
    dense: float | None = None,
    sparse: float | None = None,
    agreement: float = 0.0,
) -> Passage:
    """The passage that a stored payload describes, with its scores."""
    return Passage(
        chunk_id=payload["chunk_id"],
        document_id=payload["document_id"],
        title=payload["title"],
        text=payload["text"],
        page=payload["page"],
        heading=tuple(payload["heading"]),
        score=score,
        dense=dense,
        sparse=sparse,
        agreement=agreement,
        metadata=payload["metadata"],
        # Collections that were written before these fields existed lack them.
        context=payload.get("context", ""),
        sentence_vectors=payload.get("sentence_vectors", ""),
    )
