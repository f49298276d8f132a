"""A vector store in memory for experiments over many corpora: same scores as Qdrant, built in milliseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.sparse import SparseVector
from tools.knowledge.store import Hit, VectorPoint, Where
from tools.ports import Vector


@dataclass
class _Corpus:
    points: list[VectorPoint] = field(default_factory=list[VectorPoint])
    ids: list[str] = field(default_factory=list[str])
    by_id: dict[str, VectorPoint] = field(default_factory=dict[str, VectorPoint])
    dense: Vector = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    postings: dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]] = field(
        default_factory=dict[int, "tuple[NDArray[np.int64], NDArray[np.float64]]"]
    )


class MemoryStore:
    """Exact search over numpy arrays. Each `upsert` replaces the collection; filters are not supported."""

    def __init__(self) -> None:
        self._corpora: dict[str, _Corpus] = {}

    def upsert(self, collection: str, points: Sequence[VectorPoint]) -> None:
        """Make `points` the whole collection."""
        rows: dict[int, list[tuple[int, float]]] = {}
        for row, point in enumerate(points):
            for term, weight in zip(point.sparse.indices, point.sparse.values, strict=True):
                rows.setdefault(term, []).append((row, weight))
        count = len(points)
        postings = {term: _weighted(entries, count) for term, entries in rows.items()}
        ids = [point.point_id for point in points]
        dense = np.stack([point.dense for point in points])
        self._corpora[collection] = _Corpus(list(points), ids, dict(zip(ids, points, strict=True)), dense, postings)

    def flush(self, collection: str) -> None:
        """See `VectorStore.flush`: nothing outlives the process."""

    def delete_document(self, collection: str, document_id: str) -> None:
        """Remove every chunk of a document."""
        kept = [p for p in self._corpora[collection].points if p.payload["document_id"] != document_id]
        self.upsert(collection, kept)

    def delete_points(self, collection: str, point_ids: Sequence[str]) -> None:
        """See `VectorStore.delete_points`."""
        gone = set(point_ids)
        self.upsert(collection, [p for p in self._corpora[collection].points if p.point_id not in gone])

    def document_points(self, collection: str, document_id: str) -> list[VectorPoint]:
        """See `VectorStore.document_points`."""
        return [p for p in self._corpora[collection].points if p.payload["document_id"] == document_id]

    def search_dense(self, collection: str, vector: Vector, limit: int, where: Where) -> list[Hit]:
        """See `VectorStore.search_dense`."""
        _refuse(where)
        corpus = self._corpora[collection]
        return _top(corpus, corpus.dense @ vector, limit)

    def search_sparse(self, collection: str, vector: SparseVector, limit: int, where: Where) -> list[Hit]:
        """See `VectorStore.search_sparse`."""
        _refuse(where)
        corpus = self._corpora[collection]
        scores = np.zeros(len(corpus.points))
        for term in vector.indices:
            if (posting := corpus.postings.get(term)) is not None:
                scores[posting[0]] += posting[1]
        return [hit for hit in _top(corpus, scores, limit) if hit.score > 0]

    def payloads(self, collection: str, point_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """See `VectorStore.payloads`."""
        points = self._corpora[collection].by_id
        return {point_id: points[point_id].payload for point_id in point_ids if point_id in points}

    def count(self, collection: str, where: Where) -> int:
        """Number of chunks."""
        _refuse(where)
        return len(self._corpora[collection].points)

    def close(self) -> None:
        """Forget everything."""
        self._corpora.clear()


def _weighted(entries: Sequence[tuple[int, float]], count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    # Qdrant's IDF modifier.
    idf = np.log((count - len(entries) + 0.5) / (len(entries) + 0.5) + 1)
    rows, weights = zip(*entries, strict=True)
    return np.array(rows), np.array(weights) * idf


def _top(corpus: _Corpus, scores: NDArray[np.floating], limit: int) -> list[Hit]:
    order: list[int] = np.argsort(-scores, kind="stable")[:limit].tolist()
    return [Hit(corpus.ids[row], score) for row, score in zip(order, scores[order].tolist(), strict=True)]


def _refuse(where: Where) -> None:
    if not where.is_empty:
        raise ValueError("this store does not filter")
