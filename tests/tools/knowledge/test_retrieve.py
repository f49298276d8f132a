from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tools.knowledge.edge_store import EdgeStore
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.fusion import SPARSE_WEIGHT, reciprocal_ranks
from tools.knowledge.retrieve import Retriever
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.store import VectorPoint, Where

TEXTS = {
    "window#0": "Credit card holders have 120 days to dispute a transaction.",
    "fees#0": "A replacement card costs ten euros.",
    "fees#1": "Cash advances abroad cost three percent.",
    "code#0": "TX-708 means that strong authentication failed.",
    "travel#0": "Tell the bank before you go on holiday.",
}


@pytest.fixture(scope="module")
def retriever(embedder: MiniLMEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Retriever]:
    store, bm25 = EdgeStore(tmp_path_factory.mktemp("vectors"), embedder.dimensions), Bm25Encoder()
    store.upsert("c", [_point(chunk_id, text, embedder, bm25) for chunk_id, text in TEXTS.items()])
    twins = ["z#0", "a#0", "m#0"]
    store.upsert("twins", [_point(chunk_id, "The very same sentence.", embedder, bm25) for chunk_id in twins])
    yield Retriever(store, embedder, bm25)
    store.close()


def _point(chunk_id: str, text: str, embedder: MiniLMEmbedder, bm25: Bm25Encoder) -> VectorPoint:
    document_id = chunk_id.split("#")[0]
    payload = {
        "chunk_id": chunk_id,
        "document_id": document_id,
        "title": document_id.title(),
        "text": text,
        "page": 3,
        "heading": ["Part", "Section"],
        "metadata": {"kind": document_id},
    }
    return VectorPoint(chunk_id, embedder.embed_passages([text])[0], bm25.encode_passages([text])[0], payload)


def test_hybrid_scores_weigh_both_legs(retriever: Retriever) -> None:
    query = "What does code TX-708 mean for authentication?"
    dense = {p.chunk_id: p.score for p in retriever.search("c", query, top_k=9, mode="dense")}
    sparse = {p.chunk_id: p.score for p in retriever.search("c", query, top_k=9, mode="sparse")}
    fused = retriever.search("c", query, top_k=9)
    assert fused[0].chunk_id == "code#0"
    assert (fused[0].score, fused[0].agreement) == (pytest.approx(1), pytest.approx(1))
    for passage in fused:
        meaning, words = max(dense[passage.chunk_id], 0), sparse.get(passage.chunk_id, 0)
        expected = (1 - SPARSE_WEIGHT) * meaning / max(dense.values()) + SPARSE_WEIGHT * words / max(sparse.values())
        assert passage.score == pytest.approx(expected, abs=1e-5)
    assert [p.score for p in fused] == sorted((p.score for p in fused), reverse=True)


def test_another_way_of_fusing_can_be_given(retriever: Retriever) -> None:
    query = "What does code TX-708 mean for authentication?"
    for passage in replace(retriever, fuse=reciprocal_ranks).search("c", query, top_k=9):
        assert passage.score == passage.agreement


def test_each_mode_scores_with_its_own_leg(retriever: Retriever) -> None:
    (dense,) = retriever.search("c", "vacation", top_k=1, mode="dense")
    assert (dense.chunk_id, dense.dense, dense.sparse) == ("travel#0", dense.score, None)
    assert 0 < dense.score < 1
    assert retriever.search("c", "vacation", top_k=5, mode="sparse") == []
    (sparse,) = retriever.search("c", "holidays", top_k=1, mode="sparse")
    assert (sparse.chunk_id, sparse.dense, sparse.sparse) == ("travel#0", None, sparse.score)


def test_a_passage_of_one_leg_only_lacks_the_other_score(retriever: Retriever) -> None:
    found = {passage.chunk_id: passage for passage in retriever.search("c", "holidays", top_k=5)}
    assert found["travel#0"].sparse is not None
    assert found["window#0"].sparse is None
    assert found["window#0"].dense is not None


def test_no_more_than_top_k_come_back(retriever: Retriever) -> None:
    assert len(retriever.search("c", "card", top_k=2)) == 2
    assert len(retriever.search("c", "card", top_k=100)) == len(TEXTS)


def test_filters_hold_in_both_legs(retriever: Retriever) -> None:
    only = retriever.search("c", "How long to dispute?", top_k=9, where=Where(document_ids=["fees", "code"]))
    assert {passage.document_id for passage in only} == {"fees", "code"}
    tagged = retriever.search("c", "How long to dispute?", top_k=9, where=Where(metadata={"kind": "travel"}))
    assert [passage.chunk_id for passage in tagged] == ["travel#0"]


def test_ties_are_broken_the_same_way_every_time(retriever: Retriever) -> None:
    first = [passage.chunk_id for passage in retriever.search("twins", "same sentence", top_k=3)]
    assert sorted(first) == ["a#0", "m#0", "z#0"]
    assert all([p.chunk_id for p in retriever.search("twins", "same sentence", top_k=3)] == first for _ in range(5))


def test_a_passage_carries_what_was_stored(retriever: Retriever) -> None:
    (passage,) = retriever.search("c", "dispute a transaction", top_k=1)
    assert (passage.title, passage.page, passage.heading) == ("Window", 3, ("Part", "Section"))
    assert (passage.text, passage.metadata, passage.context) == (TEXTS["window#0"], {"kind": "window"}, "")


def test_what_is_dropped_leaves_the_others_as_if_it_had_not_been_there(retriever: Retriever) -> None:
    query = "How many days to dispute a transaction?"
    found = retriever.search("c", query, top_k=4, drop=lambda one: one.chunk_id == "window#0")
    others = Where(document_ids=("fees", "code", "travel"))
    assert [(one.chunk_id, one.score) for one in found] == [
        (one.chunk_id, pytest.approx(one.score)) for one in retriever.search("c", query, top_k=4, where=others)
    ]
