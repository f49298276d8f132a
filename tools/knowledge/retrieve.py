"""Hybrid retrieval: a dense and a BM25 leg, fused by their scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tools.knowledge.documents import Passage
from tools.knowledge.fusion import LEG_DEPTH, Fuse, reciprocal_ranks, weighted_scores
from tools.knowledge.points import passage_of
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.store import Hit, VectorStore, Where
from tools.ports import Embedder

SearchMode = Literal["hybrid", "dense", "sparse"]


@dataclass(frozen=True)
class Retriever:
    """Searches one vector store. Blocks; the index's worker thread calls it."""

    store: VectorStore
    embedder: Embedder
    bm25: Bm25Encoder
    fuse: Fuse = weighted_scores

    def search(
        self, collection: str, query: str, *, top_k: int, mode: SearchMode = "hybrid", where: Where | None = None
    ) -> list[Passage]:
        """The `top_k` passages for `query`, best first.

        In hybrid mode `Passage.score` is that of `fuse`; otherwise it is the leg's own score.
        """
        where = where or Where()
        depth = max(top_k, LEG_DEPTH)
        dense = self._dense(collection, query, depth, where) if mode != "sparse" else []
        sparse = self._sparse(collection, query, depth, where) if mode != "dense" else []
        if mode == "hybrid":
            ranked = self.fuse(dense, sparse)[:top_k]
        else:
            ranked = [(hit.point_id, hit.score) for hit in (dense or sparse)[:top_k]]
        payloads = self.store.payloads(collection, [point_id for point_id, _ in ranked])
        cosines, bm25, agreement = _scores(dense), _scores(sparse), dict(reciprocal_ranks(dense, sparse))
        return [
            passage_of(
                payloads[point_id],
                score,
                dense=cosines.get(point_id),
                sparse=bm25.get(point_id),
                agreement=agreement.get(point_id, 0.0),
            )
            for point_id, score in ranked
            if point_id in payloads
        ]

    def _dense(self, collection: str, query: str, limit: int, where: Where) -> list[Hit]:
        return self.store.search_dense(collection, self.embedder.embed_query(query), limit, where)

    def _sparse(self, collection: str, query: str, limit: int, where: Where) -> list[Hit]:
        return self.store.search_sparse(collection, self.bm25.encode_query(query), limit, where)


def _scores(hits: Sequence[Hit]) -> dict[str, float]:
    return {hit.point_id: hit.score for hit in hits}
