"""What a vector store must do. Calls block: one worker thread owns the store (`tools.knowledge.index`)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tools.knowledge.sparse import SparseVector
from tools.ports import Vector

DENSE = "dense"
SPARSE = "bm25"


@dataclass(frozen=True)
class VectorPoint:
    """One chunk with both its vectors. `payload` must hold `document_id` and `chunk_id`."""

    chunk_id: str
    dense: Vector
    sparse: SparseVector
    payload: Mapping[str, Any]

    @property
    def point_id(self) -> str:
        """See `chunk_point_id`."""
        return chunk_point_id(self.chunk_id)


def chunk_point_id(chunk_id: str) -> str:
    """A UUID that depends on the chunk id alone, so that writing a chunk again replaces it."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, chunk_id))


@dataclass(frozen=True)
class Hit:
    """A stored point that a query found, with the raw score of that leg."""

    point_id: str
    score: float


@dataclass(frozen=True)
class Where:
    """Restricts a search: to these documents (any, when empty) and to chunks whose metadata equals every value."""

    document_ids: Sequence[str] = ()
    metadata: Mapping[str, str | int | bool] = field(default_factory=dict[str, "str | int | bool"])

    @property
    def is_empty(self) -> bool:
        """True when nothing is restricted."""
        return not self.document_ids and not self.metadata


class VectorStore(Protocol):
    """Chunks by collection, searchable by dense vector and by BM25. A collection that was never written is empty.

    Every search sees what was written before it; what was written outlives the process after `flush`.
    """

    def upsert(self, collection: str, points: Sequence[VectorPoint]) -> None:
        """Write points; a point with the same chunk id is replaced."""
        ...

    def flush(self, collection: str) -> None:
        """Make durable what was written and deleted."""
        ...

    def delete_document(self, collection: str, document_id: str) -> None:
        """Remove every chunk of a document."""
        ...

    def delete_points(self, collection: str, point_ids: Sequence[str]) -> None:
        """Remove points by id; ids that are gone by now are passed over."""
        ...

    def document_points(self, collection: str, document_id: str) -> list[VectorPoint]:
        """Every chunk of a document with its vectors, in no order."""
        ...

    def search_dense(self, collection: str, vector: Vector, limit: int, where: Where) -> list[Hit]:
        """The `limit` chunks of highest cosine, best first."""
        ...

    def search_sparse(self, collection: str, vector: SparseVector, limit: int, where: Where) -> list[Hit]:
        """The `limit` chunks of highest BM25 score, best first; chunks that share no term are left out."""
        ...

    def payloads(self, collection: str, point_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """What is stored with points, by id; points that are gone by now are left out."""
        ...

    def count(self, collection: str, where: Where) -> int:
        """Number of chunks."""
        ...

    def close(self) -> None:
        """Write what is pending and release files and connections."""
        ...
