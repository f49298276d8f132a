"""The vector store on a Qdrant server, through qdrant-client."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
from qdrant_client import QdrantClient, models

from tools.knowledge.labels import LABELS, label, labels
from tools.knowledge.sparse import SparseVector
from tools.knowledge.store import DENSE, SPARSE, Hit, VectorPoint, Where
from tools.ports import Vector

_PREFIX = "switchyard-"
_SCROLL_PAGE = 256


class QdrantStore:
    """Collections on a Qdrant server, one a Switchyard collection."""

    def __init__(self, client: QdrantClient, dimensions: int) -> None:
        """Use `client`; collections are created when first written."""
        self._client = client
        self._dimensions = dimensions
        self._known: set[str] = set()

    def upsert(self, collection: str, points: Sequence[VectorPoint]) -> None:
        """See `VectorStore.upsert`."""
        if not points:
            return
        self._create(name := _name(collection))
        self._client.upsert(name, [_point(point) for point in points], wait=True)

    def flush(self, collection: str) -> None:
        """See `VectorStore.flush`: the server has written what it has acknowledged."""

    def delete_document(self, collection: str, document_id: str) -> None:
        """See `VectorStore.delete_document`."""
        if self._exists(name := _name(collection)):
            selector = models.FilterSelector(filter=_filter(Where(document_ids=[document_id])) or models.Filter())
            self._client.delete(name, points_selector=selector, wait=True)

    def delete_points(self, collection: str, point_ids: Sequence[str]) -> None:
        """See `VectorStore.delete_points`."""
        if point_ids and self._exists(name := _name(collection)):
            self._client.delete(name, points_selector=models.PointIdsList(points=list(point_ids)), wait=True)

    def document_points(self, collection: str, document_id: str) -> list[VectorPoint]:
        """See `VectorStore.document_points`."""
        if not self._exists(name := _name(collection)):
            return []
        where = _filter(Where(document_ids=[document_id]))
        return [_stored(record) for record in self._scroll(name, where, with_vectors=True)]

    def search_dense(self, collection: str, vector: Vector, limit: int, where: Where) -> list[Hit]:
        """See `VectorStore.search_dense`."""
        return self._search(collection, vector.tolist(), DENSE, limit, where)

    def search_sparse(self, collection: str, vector: SparseVector, limit: int, where: Where) -> list[Hit]:
        """See `VectorStore.search_sparse`."""
        if not vector.indices:
            return []
        query = models.SparseVector(indices=vector.indices, values=vector.values)
        return self._search(collection, query, SPARSE, limit, where)

    def payloads(self, collection: str, point_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """See `VectorStore.payloads`."""
        if not point_ids or not self._exists(name := _name(collection)):
            return {}
        records = self._client.retrieve(name, list(point_ids), with_payload=True)
        return {str(record.id): _payload(record) for record in records}

    def count(self, collection: str, where: Where) -> int:
        """See `VectorStore.count`."""
        if not self._exists(name := _name(collection)):
            return 0
        return self._client.count(name, count_filter=_filter(where), exact=True).count

    def close(self) -> None:
        """See `VectorStore.close`."""
        self._client.close()

    def _search(
        self, collection: str, query: list[float] | models.SparseVector, using: str, limit: int, where: Where
    ) -> list[Hit]:
        if not self._exists(name := _name(collection)):
            return []
        found = self._client.query_points(
            name, query=query, using=using, limit=limit, query_filter=_filter(where), with_payload=False
        )
        return [Hit(str(point.id), point.score) for point in found.points]

    def _exists(self, name: str) -> bool:
        if name not in self._known and self._client.collection_exists(name):
            self._label_older(name)
            self._known.add(name)
        return name in self._known

    def _create(self, name: str) -> None:
        if self._exists(name):
            return
        self._client.create_collection(
            name,
            vectors_config={DENSE: models.VectorParams(size=self._dimensions, distance=models.Distance.COSINE)},
            sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        )
        for field in ("document_id", LABELS):
            self._client.create_payload_index(name, field, models.PayloadSchemaType.KEYWORD)
        self._known.add(name)

    def _label_older(self, name: str) -> None:
        """Label the points of a collection that was written before there were labels; the index is made last."""
        if LABELS in self._client.get_collection(name).payload_schema:
            return
        alike: dict[tuple[str, ...], list[Any]] = {}
        for record in self._scroll(name, None):
            if LABELS not in (record.payload or {}):
                alike.setdefault(tuple(labels(_payload(record).get("metadata", {}))), []).append(record.id)
        for given, ids in alike.items():
            self._client.set_payload(name, {LABELS: list(given)}, points=models.PointIdsList(points=ids), wait=True)
        self._client.create_payload_index(name, LABELS, models.PayloadSchemaType.KEYWORD)

    def _scroll(self, name: str, where: models.Filter | None, *, with_vectors: bool = False) -> Iterator[models.Record]:
        offset = None
        while True:
            records, offset = self._client.scroll(name, where, _SCROLL_PAGE, offset=offset, with_vectors=with_vectors)
            yield from records
            if offset is None:
                return


def connect(url: str, dimensions: int) -> QdrantStore:
    """The store on the Qdrant server at `url`; nothing is asked of it before the first use."""
    return QdrantStore(QdrantClient(url=url, check_compatibility=False), dimensions)


def _name(collection: str) -> str:
    return _PREFIX + hashlib.sha256(collection.encode()).hexdigest()[:24]


def _point(point: VectorPoint) -> models.PointStruct:
    sparse = models.SparseVector(indices=point.sparse.indices, values=point.sparse.values)
    payload = {**point.payload, LABELS: labels(point.payload.get("metadata", {}))}
    return models.PointStruct(id=point.point_id, vector={DENSE: point.dense.tolist(), SPARSE: sparse}, payload=payload)


def _payload(record: models.Record) -> dict[str, Any]:
    """What was written with a point."""
    return {key: value for key, value in (record.payload or {}).items() if key != LABELS}


def _stored(record: models.Record) -> VectorPoint:
    vectors = cast("dict[str, Any]", record.vector)
    sparse = cast(models.SparseVector, vectors[SPARSE])
    payload = _payload(record)
    return VectorPoint(
        payload["chunk_id"],
        np.array(vectors[DENSE], dtype=np.float32),
        SparseVector(sparse.indices, sparse.values),
        payload,
    )


def _filter(where: Where) -> models.Filter | None:
    if where.is_empty:
        return None
    conditions: list[models.Condition] = []
    if where.document_ids:
        conditions.append(models.FieldCondition(key="document_id", match=models.MatchAny(any=list(where.document_ids))))
    for key, value in where.metadata.items():
        conditions.append(models.FieldCondition(key=LABELS, match=models.MatchValue(value=label(key, value))))
    return models.Filter(must=conditions)
