"""Hybrid retrieval: a dense and a BM25 leg, fused by reciprocal rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tools.knowledge.documents import Passage
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.store import Hit, VectorStore, Where
from tools.ports import Embedder

SearchMode = Literal["hybrid", "dense", "sparse"]

# Cormack, Clarke and Buettcher (2009) found k = 60 to work across collections.
_RRF_K = 60
_LEG_DEPTH = 30


@dataclass(frozen=True)
class Retriever:
    """Searches one vector store. Blocks; the index's worker thread calls it."""

    store: VectorStore
    embedder: Embedder
    bm25: Bm25Encoder

    def search(
        self, collection: str, query: str, *, top_k: int, mode: SearchMode = "hybrid", where: Where | None = None
    ) -> list[Passage]:
        """The `top_k` passages for `query`, best first.

        In hybrid mode `Passage.score` is the sum of reciprocal ranks; otherwise it is the leg's own score.
        """
        where = where or Where()
        depth = max(top_k, _LEG_DEPTH)
        dense = self._dense(collection, query, depth, where) if mode != "sparse" else []
        sparse = self._sparse(collection, query, depth, where) if mode != "dense" else []
        if mode == "hybrid":
            ranked = _fuse(dense, sparse)[:top_k]
        else:
            ranked = [(hit.point_id, hit.score) for hit in (dense or sparse)[:top_k]]
        payloads = self.store.payloads(collection, [point_id for point_id, _ in ranked])
        cosines, bm25 = _scores(dense), _scores(sparse)
        return [
            _passage(payloads[point_id], score, dense=cosines.get(point_id), sparse=bm25.get(point_id))
            for point_id, score in ranked
            if point_id in payloads
        ]

    def _dense(self, collection: str, query: str, limit: int, where: Where) -> list[Hit]:
        return self.store.search_dense(collection, self.embedder.embed_query(query), limit, where)

    def _sparse(self, collection: str, query: str, limit: int, where: Where) -> list[Hit]:
        return self.store.search_sparse(collection, self.bm25.encode_query(query), limit, where)


def _fuse(dense: Sequence[Hit], sparse: Sequence[Hit]) -> list[tuple[str, float]]:
    """Points with the sum of their reciprocal ranks, best first."""
    fused: dict[str, float] = {}
    for leg in (dense, sparse):
        for rank, hit in enumerate(leg, start=1):
            fused[hit.point_id] = fused.get(hit.point_id, 0.0) + 1 / (_RRF_K + rank)
    return sorted(fused.items(), key=lambda one: (-one[1], one[0]))


def _scores(hits: Sequence[Hit]) -> dict[str, float]:
    return {hit.point_id: hit.score for hit in hits}


def _passage(payload: Mapping[str, Any], score: float, *, dense: float | None, sparse: float | None) -> Passage:
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
        metadata=payload["metadata"],
        # Collections that were written before these fields existed lack them.
        context=payload.get("context", ""),
        sentence_vectors=payload.get("sentence_vectors", ""),
    )
