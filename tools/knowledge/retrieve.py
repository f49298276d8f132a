"""Hybrid retrieval: a dense and a BM25 leg, fused by their scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tools.knowledge.documents import Passage
from tools.knowledge.fusion import LEG_DEPTH, Fuse, reciprocal_ranks, weighted_scores
from tools.knowledge.points import passage_of
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.store import Hit, VectorStore, Where, chunk_point_id
from tools.ports import Embedder

SearchMode = Literal["hybrid", "dense", "sparse"]

# Found beyond a leg's depth, to take the places of what is dropped.
_MOST_DROPPED = 16


@dataclass(frozen=True)
class Retriever:
    """Searches one vector store. Blocks; the index's worker thread calls it."""

    store: VectorStore
    embedder: Embedder
    bm25: Bm25Encoder
    fuse: Fuse = weighted_scores

    def search(
        self,
        collection: str,
        query: str,
        *,
        top_k: int,
        mode: SearchMode = "hybrid",
        where: Where | None = None,
        drop: Callable[[Passage], bool] | None = None,
    ) -> list[Passage]:
        """The `top_k` passages for `query`, best first.

        In hybrid mode `Passage.score` is that of `fuse`; otherwise it is the leg's own score. What `drop` is true of is
        not there for the fusion, so that it does not change the order of the others.
        """
        where = where or Where()
        depth = max(top_k, LEG_DEPTH)
        asked = depth if drop is None else depth + _MOST_DROPPED
        dense = self._dense(collection, query, asked, where) if mode != "sparse" else []
        sparse = self._sparse(collection, query, asked, where) if mode != "dense" else []
        while True:
            found = self._fused(collection, dense[:depth], sparse[:depth], top_k, mode)
            dropped = {chunk_point_id(one.chunk_id) for one in found if drop is not None and drop(one)}
            if not dropped:
                return found
            dense, sparse = ([hit for hit in leg if hit.point_id not in dropped] for leg in (dense, sparse))

    def _fused(
        self, collection: str, dense: Sequence[Hit], sparse: Sequence[Hit], top_k: int, mode: SearchMode
    ) -> list[Passage]:
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
