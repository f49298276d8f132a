"""One contract for every vector store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qdrant_edge as qe
from qdrant_client import QdrantClient

from tools.knowledge.edge_store import EdgeStore
from tools.knowledge.qdrant_store import QdrantStore
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.store import Hit, VectorPoint, VectorStore, Where
from tools.ports import Vector

DIMENSIONS = 4
ENCODER = Bm25Encoder()


@pytest.fixture(params=["edge", "qdrant"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    opened: VectorStore
    if request.param == "edge":
        opened = EdgeStore(tmp_path, DIMENSIONS)
    else:
        opened = QdrantStore(QdrantClient(":memory:"), DIMENSIONS)
    yield opened
    opened.close()


def vector(*values: float) -> Vector:
    array = np.array(values, dtype=np.float32)
    return array / np.linalg.norm(array)


def point(chunk_id: str, text: str, dense: Vector, *, document_id: str = "d", **metadata: Any) -> VectorPoint:
    payload = {
        "chunk_id": chunk_id,
        "document_id": document_id,
        "title": "T",
        "text": text,
        "page": None,
        "heading": [],
        "metadata": metadata,
    }
    return VectorPoint(chunk_id, dense, ENCODER.encode_passages([text])[0], payload)


def found(store: VectorStore, collection: str, hits: Sequence[Hit], field: str = "chunk_id") -> list[str]:
    payloads = store.payloads(collection, [hit.point_id for hit in hits])
    return [payloads[hit.point_id][field] for hit in hits]


def test_a_collection_that_was_never_written_is_empty(store: VectorStore) -> None:
    assert store.count("nothing", Where()) == 0
    assert store.search_dense("nothing", vector(1, 0, 0, 0), 5, Where()) == []
    assert store.search_sparse("nothing", ENCODER.encode_query("card"), 5, Where()) == []
    assert store.payloads("nothing", [point("a", "x", vector(1, 0, 0, 0)).point_id]) == {}
    store.delete_document("nothing", "d")
    store.delete_points("nothing", [point("a", "x", vector(1, 0, 0, 0)).point_id])
    assert store.document_points("nothing", "d") == []


def test_dense_search_orders_by_cosine(store: VectorStore) -> None:
    store.upsert("c", [point("a", "x", vector(1, 0, 0, 0)), point("b", "y", vector(1, 1, 0, 0))])
    hits = store.search_dense("c", vector(1, 0, 0, 0), 5, Where())
    assert found(store, "c", hits) == ["a", "b"]
    assert hits[0].score == pytest.approx(1.0, abs=1e-3)
    assert hits[1].score == pytest.approx(2**-0.5, abs=1e-3)
    assert found(store, "c", hits, "text") == ["x", "y"]


def test_sparse_search_prefers_rare_terms_and_leaves_out_chunks_without_a_term(store: VectorStore) -> None:
    v = vector(1, 0, 0, 0)
    store.upsert(
        "c",
        [
            point("common", "card card payment", v),
            point("rare", "chargeback card", v),
            point("other", "card limit", v),
            point("none", "travel notice", v),
        ],
    )
    hits = store.search_sparse("c", ENCODER.encode_query("chargebacks on a card"), 5, Where())
    assert found(store, "c", hits)[0] == "rare"
    assert "none" not in found(store, "c", hits)
    assert store.search_sparse("c", ENCODER.encode_query("the of and"), 5, Where()) == []


def test_writing_a_chunk_again_replaces_it(store: VectorStore) -> None:
    store.upsert("c", [point("a", "old", vector(1, 0, 0, 0))])
    store.upsert("c", [point("a", "new", vector(0, 1, 0, 0))])
    assert store.count("c", Where()) == 1
    assert found(store, "c", store.search_dense("c", vector(0, 1, 0, 0), 1, Where()), "text") == ["new"]


def test_deleting_a_document_leaves_the_others(store: VectorStore) -> None:
    v = vector(1, 0, 0, 0)
    store.upsert("c", [point("a", "x", v, document_id="one"), point("b", "x", v, document_id="two")])
    store.delete_document("c", "one")
    assert found(store, "c", store.search_dense("c", v, 5, Where())) == ["b"]


def test_points_are_deleted_one_by_one(store: VectorStore) -> None:
    kept, gone = point("a", "x", vector(1, 0, 0, 0)), point("b", "x", vector(1, 0, 0, 0))
    store.upsert("c", [kept, gone])
    store.delete_points("c", [gone.point_id, point("never", "x", vector(1, 0, 0, 0)).point_id])
    store.delete_points("c", [])
    assert [one.chunk_id for one in store.document_points("c", "d")] == ["a"]


def test_a_document_s_points_come_back_as_they_were_written(store: VectorStore) -> None:
    written = {
        chunk_id: point(chunk_id, f"chargeback {chunk_id}", vector(number, 1, 0, 0))
        for number, chunk_id in enumerate(map(str, range(600)))
    }
    store.upsert("c", [*written.values(), point("other", "x", vector(1, 0, 0, 0), document_id="e")])
    read = store.document_points("c", "d")
    assert {one.chunk_id for one in read} == written.keys()
    assert len(read) == len(written)
    for one in read:
        original = written[one.chunk_id]
        assert one.dense == pytest.approx(original.dense, abs=1e-5)
        assert dict(zip(one.sparse.indices, one.sparse.values, strict=True)) == pytest.approx(
            dict(zip(original.sparse.indices, original.sparse.values, strict=True))
        )
        assert one.payload == original.payload


def test_points_that_are_gone_are_left_out_of_what_is_read(store: VectorStore) -> None:
    kept, gone = point("a", "x", vector(1, 0, 0, 0)), point("b", "y", vector(1, 0, 0, 0))
    store.upsert("c", [kept])
    assert list(store.payloads("c", [gone.point_id, kept.point_id])) == [kept.point_id]
    assert store.payloads("c", []) == {}


def test_filters_restrict_both_legs(store: VectorStore) -> None:
    v = vector(1, 0, 0, 0)
    store.upsert(
        "c", [point("a", "card", v, document_id="one", year=2024), point("b", "card", v, document_id="two", year=2025)]
    )
    for where, expected in ((Where(document_ids=["two"]), "b"), (Where(metadata={"year": 2024}), "a")):
        assert found(store, "c", store.search_dense("c", v, 5, where)) == [expected]
        assert found(store, "c", store.search_sparse("c", ENCODER.encode_query("card"), 5, where)) == [expected]
        assert store.count("c", where) == 1


def test_metadata_is_matched_by_value_and_type(store: VectorStore) -> None:
    v = vector(1, 0, 0, 0)
    store.upsert(
        "c",
        [
            point("yes", "card", v, open=True, tags=["a", "b"], owner={"team": "x"}),
            point("no", "card", v, open=False, tags=["b"], owner={"team": "y"}),
            point("one", "card", v, open=1),
            point("word", "card", v, open="true"),
        ],
    )
    for key, value, expected in (
        ("open", True, {"yes"}),
        ("open", False, {"no"}),
        ("open", 1, {"one"}),
        ("open", "true", {"word"}),
        ("tags", "a", {"yes"}),
        ("tags", "b", {"yes", "no"}),
        ("owner.team", "y", {"no"}),
        ("missing", "x", set[str]()),
    ):
        where = Where(metadata={key: value})
        assert set(found(store, "c", store.search_dense("c", v, 5, where))) == expected, (key, value)


def test_collections_do_not_see_each_other(store: VectorStore) -> None:
    v = vector(1, 0, 0, 0)
    store.upsert("one", [point("a", "card", v)])
    store.upsert("two/../one", [point("b", "card", v)])
    assert found(store, "one", store.search_dense("one", v, 5, Where())) == ["a"]


def test_the_embedded_store_keeps_its_points_across_a_restart(tmp_path: Path) -> None:
    first = EdgeStore(tmp_path, DIMENSIONS)
    first.upsert("c", [point("a", "card", vector(1, 0, 0, 0))])
    first.close()
    second = EdgeStore(tmp_path, DIMENSIONS)
    assert second.count("c", Where()) == 1
    second.close()


def test_an_older_collection_is_filtered_as_a_new_one(tmp_path: Path) -> None:
    """Written when points had no labels and metadata no index."""
    v = vector(1, 0, 0, 0)
    store = EdgeStore(tmp_path, DIMENSIONS)
    written = [point(f"{n}", "card", v, even=n % 2 == 0) for n in range(600)]
    store.upsert("c", written)
    store.close()
    [folder] = tmp_path.iterdir()
    shard = qe.EdgeShard.load(str(folder))
    shard.update(qe.UpdateOperation.delete_field_index("labels"))
    shard.update(qe.UpdateOperation.delete_payload([one.point_id for one in written], ["labels"]))
    shard.flush()
    shard.close()
    for _ in range(2):
        again = EdgeStore(tmp_path, DIMENSIONS)
        assert again.count("c", Where(metadata={"even": True})) == 300
        assert again.payloads("c", [written[0].point_id]) == {written[0].point_id: written[0].payload}
        again.close()


def test_an_older_collection_on_a_server_is_filtered_as_a_new_one() -> None:
    client = QdrantClient(":memory:")
    v = vector(1, 0, 0, 0)
    written = [point(f"{n}", "card", v, even=n % 2 == 0) for n in range(600)]
    QdrantStore(client, DIMENSIONS).upsert("c", written)
    [collection] = client.get_collections().collections
    client.delete_payload(collection.name, ["labels"], points=[one.point_id for one in written])
    for _ in range(2):
        again = QdrantStore(client, DIMENSIONS)
        assert again.count("c", Where(metadata={"even": True})) == 300
        assert again.payloads("c", [written[0].point_id]) == {written[0].point_id: written[0].payload}
    client.close()
