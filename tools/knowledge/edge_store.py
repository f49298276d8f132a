"""The embedded vector store: Qdrant Edge, the Qdrant engine in this process, one shard a collection.

Why not qdrant-client's local mode: `docs/decisions/0001-vector-store.md`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import qdrant_edge as qe

from tools.knowledge.labels import LABELS, label, labels
from tools.knowledge.sparse import SparseVector
from tools.knowledge.store import DENSE, SPARSE, Hit, VectorPoint, Where
from tools.ports import Vector

# Metadata is searched by labels of our own: the engine's binding takes true for 1, and a condition on a field without
# an index reads every payload.
_INDEXED = ("document_id", LABELS)
_SCROLL_PAGE = 256


class EdgeStore:
    """Shards under one folder. Not for several processes at once: the server owns it, the CLI asks the server."""

    def __init__(self, folder: Path, dimensions: int) -> None:
        """Open the store in `folder`; shards are opened when first used."""
        self._folder = folder
        self._dimensions = dimensions
        self._shards: dict[str, qe.EdgeShard] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def upsert(self, collection: str, points: Sequence[VectorPoint]) -> None:
        """See `VectorStore.upsert`."""
        if not points:
            return
        shard = self._shard(collection, create=True)
        assert shard is not None
        shard.update(qe.UpdateOperation.upsert_points([_point(point) for point in points]))

    def delete_document(self, collection: str, document_id: str) -> None:
        """See `VectorStore.delete_document`."""
        if (shard := self._shard(collection)) is not None:
            shard.update(qe.UpdateOperation.delete_points_by_filter(_document_filter([document_id])))

    def delete_points(self, collection: str, point_ids: Sequence[str]) -> None:
        """See `VectorStore.delete_points`."""
        if point_ids and (shard := self._shard(collection)) is not None:
            shard.update(qe.UpdateOperation.delete_points(list(point_ids)))

    def flush(self, collection: str) -> None:
        """See `VectorStore.flush`; takes about 25 ms, however few the points."""
        if (shard := self._shard(collection)) is not None:
            shard.flush()

    def document_points(self, collection: str, document_id: str) -> list[VectorPoint]:
        """See `VectorStore.document_points`."""
        if (shard := self._shard(collection)) is None:
            return []
        return [_stored(record) for record in _scroll(shard, _document_filter([document_id]))]

    def search_dense(self, collection: str, vector: Vector, limit: int, where: Where) -> list[Hit]:
        """See `VectorStore.search_dense`."""
        return self._search(collection, qe.Query.Nearest(vector.tolist(), using=DENSE), limit, where)

    def search_sparse(self, collection: str, vector: SparseVector, limit: int, where: Where) -> list[Hit]:
        """See `VectorStore.search_sparse`."""
        if not vector.indices:
            return []
        query = qe.Query.Nearest(qe.SparseVector(indices=vector.indices, values=vector.values), using=SPARSE)
        return self._search(collection, query, limit, where)

    def payloads(self, collection: str, point_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """See `VectorStore.payloads`."""
        shard = self._shard(collection)
        if shard is None or not point_ids:
            return {}
        ids: list[qe.PointId] = list(point_ids)
        records = shard.retrieve(ids, with_payload=True, with_vector=False)
        return {str(record.id): _payload(record) for record in records}

    def count(self, collection: str, where: Where) -> int:
        """See `VectorStore.count`."""
        shard = self._shard(collection)
        return 0 if shard is None else shard.count(qe.CountRequest(exact=True, filter=_filter(where)))

    def close(self) -> None:
        """See `VectorStore.close`."""
        for shard in self._shards.values():
            shard.flush()
            shard.close()
        self._shards.clear()

    def _search(self, collection: str, query: qe.Query, limit: int, where: Where) -> list[Hit]:
        shard = self._shard(collection)
        if shard is None:
            return []
        found = shard.query(qe.QueryRequest(limit=limit, query=query, filter=_filter(where)))
        return [Hit(str(point.id), point.score) for point in found]

    def _shard(self, collection: str, *, create: bool = False) -> qe.EdgeShard | None:
        if (shard := self._shards.get(collection)) is not None:
            return shard
        # A collection's name is the caller's text; its digest is always a safe folder name.
        path = self._folder / hashlib.sha256(collection.encode()).hexdigest()[:24]
        if (path / "segments").exists():
            shard = qe.EdgeShard.load(str(path))
            _label_older(shard)
        elif create:
            shard = self._create(path)
        else:
            return None
        self._shards[collection] = shard
        return shard

    def _create(self, path: Path) -> qe.EdgeShard:
        path.mkdir(parents=True, exist_ok=True)
        config = qe.EdgeConfig(
            vectors={DENSE: qe.EdgeVectorParams(size=self._dimensions, distance=qe.Distance.Cosine)},
            sparse_vectors={SPARSE: qe.EdgeSparseVectorParams(modifier=qe.Modifier.Idf)},
            max_search_threads=1,
        )
        shard = qe.EdgeShard.create(str(path), config)
        for field in _INDEXED:
            shard.update(qe.UpdateOperation.create_field_index(field, qe.PayloadSchemaType.Keyword))
        return shard


def _point(point: VectorPoint) -> qe.Point:
    sparse = qe.SparseVector(indices=point.sparse.indices, values=point.sparse.values)
    payload = {**point.payload, LABELS: labels(point.payload.get("metadata", {}))}
    return qe.Point(id=point.point_id, vector={DENSE: point.dense.tolist(), SPARSE: sparse}, payload=payload)


def _payload(record: qe.Record) -> dict[str, Any]:
    """What was written with a point."""
    return {key: value for key, value in (record.payload or {}).items() if key != LABELS}


def _label_older(shard: qe.EdgeShard) -> None:
    """Label the points of a shard that was written before there were labels; once, since the index is made last."""
    if LABELS in shard.info().payload_schema:
        return
    alike: dict[tuple[str, ...], list[qe.PointId]] = {}
    for record in _scroll(shard, None, with_vector=False):
        alike.setdefault(tuple(labels(_payload(record).get("metadata", {}))), []).append(record.id)
    for given, ids in alike.items():
        shard.update(qe.UpdateOperation.set_payload(ids, {LABELS: list(given)}))
    shard.update(qe.UpdateOperation.create_field_index(LABELS, qe.PayloadSchemaType.Keyword))
    shard.flush()


def _scroll(shard: qe.EdgeShard, where: qe.Filter | None, *, with_vector: bool = True) -> Iterator[qe.Record]:
    offset: qe.PointId | None = None
    while True:
        request = qe.ScrollRequest(offset, _SCROLL_PAGE, where, with_payload=True, with_vector=with_vector)
        records, offset = shard.scroll(request)
        yield from records
        if offset is None:
            return


def _stored(record: qe.Record) -> VectorPoint:
    vectors = cast("dict[str, Any]", record.vector)
    sparse = vectors[SPARSE]
    payload = _payload(record)
    return VectorPoint(
        payload["chunk_id"],
        np.array(vectors[DENSE], dtype=np.float32),
        SparseVector(list(sparse.indices), list(sparse.values)),
        payload,
    )


def _document_filter(document_ids: Sequence[str]) -> qe.Filter:
    return qe.Filter(must=[qe.FieldCondition(key="document_id", match=qe.MatchAny(any=list(document_ids)))])


def _filter(where: Where) -> qe.Filter | None:
    if where.is_empty:
        return None
    conditions: list[qe.FieldCondition] = []
    if where.document_ids:
        conditions.append(qe.FieldCondition(key="document_id", match=qe.MatchAny(any=list(where.document_ids))))
    for key, value in where.metadata.items():
        conditions.append(qe.FieldCondition(key=LABELS, match=qe.MatchValue(value=label(key, value))))
    return qe.Filter(must=list(conditions))
