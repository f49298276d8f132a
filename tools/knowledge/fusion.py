"""The hits of the dense and the BM25 leg as one ranking."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tools.knowledge.store import Hit

Fuse = Callable[[Sequence[Hit], Sequence[Hit]], list[tuple[str, float]]]

# How many hits each leg gives: fewer cost nDCG, more bring nothing (`python -m eval.retrieval.fit_fusion`).
LEG_DEPTH = 50
# Of BM25; meaning has the rest. Chosen by `python -m eval.retrieval.fit_fusion`, where its neighbours do as well.
SPARSE_WEIGHT = 0.40
# Cormack, Clarke and Buettcher (2009) found k = 60 to work across collections.
_RRF_K = 60
_RRF_DEPTH = 30
_BEST_RRF = 2 / (_RRF_K + 1)


def weighted_scores(
    dense: Sequence[Hit], sparse: Sequence[Hit], *, weight: float = SPARSE_WEIGHT
) -> list[tuple[str, float]]:
    """Points with the weighted sum (0 to 1) of their scores, each leg's relative to its best hit; best first.

    Unlike ranks, scores tell a leg that is sure of its best hit from one that guesses: an identifier that a single
    passage holds stays first, whatever its meaning is like (after Bruch, Gai and Ingber 2023, arXiv:2210.11934). Each
    leg must hold its best `LEG_DEPTH` hits, or all.
    """
    by_meaning, by_words = _scaled(dense), _scaled(sparse)
    # What a leg leaves out is at best as good as its last hit; BM25 leaves nothing out that shares a term.
    least_meaning = min(by_meaning.values(), default=0.0)
    least_words = min(by_words.values(), default=0.0) if len(by_words) >= LEG_DEPTH else 0.0
    fused = {
        point_id: (1 - weight) * by_meaning.get(point_id, least_meaning) + weight * by_words.get(point_id, least_words)
        for point_id in {**by_meaning, **by_words}
    }
    return _best_first(fused)


def reciprocal_ranks(dense: Sequence[Hit], sparse: Sequence[Hit]) -> list[tuple[str, float]]:
    """Points with the sum of their reciprocal ranks, 1 for the first of both legs; best first."""
    fused: dict[str, float] = {}
    for leg in (dense[:_RRF_DEPTH], sparse[:_RRF_DEPTH]):
        for rank, hit in enumerate(leg, start=1):
            fused[hit.point_id] = fused.get(hit.point_id, 0.0) + 1 / (_RRF_K + rank) / _BEST_RRF
    return _best_first(fused)


def _scaled(hits: Sequence[Hit]) -> dict[str, float]:
    """Scores from 0 to 1, the best one's; nothing is alike where even the best cosine is not positive."""
    best = max((hit.score for hit in hits), default=0.0)
    return {hit.point_id: max(hit.score, 0.0) / best if best > 0 else 0.0 for hit in hits}


def _best_first(fused: dict[str, float]) -> list[tuple[str, float]]:
    # Equal scores are ordered by id, so that a query has one answer.
    return sorted(fused.items(), key=lambda one: (-one[1], one[0]))
