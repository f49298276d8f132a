"""The sample documents and the labelled questions about them, ready for retrieval experiments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agent.router.utterances import NOTHING, Split, Utterance, load_utterances
from tools.knowledge.chunking import ChunkSettings, cut_document
from tools.knowledge.load import parse_file
from tools.knowledge.points import chunk_points
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.store import VectorPoint
from tools.ports import Embedder

SAMPLE_DOCUMENTS = Path(__file__).parents[1] / "samples" / "documents"


def sample_points(embedder: Embedder, bm25: Bm25Encoder, count_tokens: Callable[[str], int]) -> list[VectorPoint]:
    """Every chunk of the sample documents, cut and embedded as the index does it."""
    points: list[VectorPoint] = []
    settings = ChunkSettings()
    for path in sorted(SAMPLE_DOCUMENTS.iterdir()):
        document = parse_file(path.read_bytes(), path.name)
        chunks = cut_document(document, settings, count_tokens=count_tokens, embed=embedder.embed_passages)
        points += chunk_points(path.name, document.title, chunks, embedder=embedder, bm25=bm25).points
    return points


def make_points(
    document_id: str, texts: Sequence[str], payloads: Sequence[dict[str, Any]], embedder: Embedder, bm25: Bm25Encoder
) -> list[VectorPoint]:
    """Embed `texts` and attach what a search hit carries."""
    dense = embedder.embed_passages(texts)
    sparse = bm25.encode_passages(texts)
    points: list[VectorPoint] = []
    for row, payload in enumerate(payloads):
        chunk_id = f"{document_id}#{row}"
        ids: dict[str, Any] = {"document_id": document_id, "chunk_id": chunk_id, "metadata": {}}
        points.append(VectorPoint(chunk_id, dense[row], sparse[row], {**payload, **ids}))
    return points


def answered_questions(split: Split) -> list[Utterance]:
    """The labelled questions of a split that a sample document answers."""
    return [row for row in load_utterances().of(split) if row.answered_by not in (None, NOTHING)]
