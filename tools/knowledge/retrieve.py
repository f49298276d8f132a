"""Hybrid retrieval: a dense and a BM25 leg, fused by reciprocal rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

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
        if mode == "dense":
            return [_passage(hit, hit.score, dense=hit.score) for hit in dense[:top_k]]
        if mode == "sparse":
            return [_passage(hit, hit.score, sparse=hit.score) for hit in sparse[:top_k]]
        return _fuse(dense, sparse, top_k)

    def _dense(self, collection: str, query: str, limit: int, where: Where) -> list[Hit]:
        return self.store.search_dense(collection, self.embedder.embed_query(query), limit, where)

    def _sparse(self, collection: str, query: str, limit: int, where: Where) -> list[Hit]:
        return self.store.search_sparse(collection, self.bm25.encode_query(query), limit, where)


def _fuse(dense: Sequence[Hit], sparse: Sequence[Hit], top_k: int) -> list[Passage]:
    hits = {hit.chunk_id: hit for hit in (*dense, *sparse)}
    dense_scores = {hit.chunk_id: hit.score for hit in dense}
    sparse_scores = {hit.chunk_id: hit.score for hit in sparse}
    fused = dict.fromkeys(hits, 0.0)
    for leg in (dense, sparse):
        for rank, hit in enumerate(leg, start=1):
            fused[hit.chunk_id] += 1 / (_RRF_K + rank)
    ordered = sorted(fused, key=lambda chunk_id: (-fused[chunk_id], chunk_id))[:top_k]
    return [_passage(hits[i], fused[i], dense=dense_scores.get(i), sparse=sparse_scores.get(i)) for i in ordered]


def _passage(hit: Hit, score: float, *, dense: float | None = None, sparse: float | None = None) -> Passage:
    payload = hit.payload
    return Passage(
        chunk_id=hit.chunk_id,
        document_id=payload["document_id"],
        title=payload["title"],
        text=payload["text"],
        page=payload["page"],
        heading=tuple(payload["heading"]),
        score=score,
        dense=dense,
        sparse=sparse,
        metadata=payload["metadata"],
        # Collections that were written before this field existed lack it.
        context=payload.get("context", ""),
    )
