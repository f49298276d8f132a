"""Is a collection sound after a batch? Counts, empty texts, duplicates, and what probe queries find now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, func, select

from server.db.engine import Database
from server.db.tables import documents, query_log
from server.ingestion.upload import DocumentKey
from tools.knowledge.index import KnowledgeIndex

ProblemCode = Literal["chunks_differ", "empty_text", "duplicates", "failed_documents", "probe_lost"]

PROBES = 20
_TOP_K = 5
# Fewer letters than this are a cover page or a scan, not a document that answers anything.
_MIN_CHARACTERS = 40
_MAX_DUPLICATE_RATE = 0.05


@dataclass(frozen=True)
class Counts:
    """A collection in numbers. `duplicate_rate` is the share of indexed documents whose text another one has, too."""

    indexed: int
    failed: int
    waiting: int
    chunks: int
    chunks_in_index: int
    empty: int
    duplicate_rate: float


@dataclass(frozen=True)
class Probe:
    """A query with the documents that it found before a batch and after it, the best first."""

    query: str
    before: list[str]
    after: list[str]

    @property
    def is_lost(self) -> bool:
        """Whether it found something before and now finds none of it."""
        return bool(self.before) and not set(self.before) & set(self.after)


@dataclass(frozen=True)
class Problem:
    """Something that a person should look at."""

    code: ProblemCode
    message: str


class QualityChecks:
    """Measures one owner's collection, in the table of documents and in the index."""

    def __init__(self, database: Database, index: KnowledgeIndex) -> None:
        """Compare `database` with `index`."""
        self._database = database
        self._index = index

    async def counts(self, owner: str, collection: str) -> Counts:
        """The collection as it is now."""
        in_index = await self._index.count(DocumentKey(owner, collection, "").index_collection)
        return await self._database.read(lambda connection: _counts(connection, owner, collection, in_index))

    async def found(self, owner: str, collection: str, queries: Sequence[str]) -> dict[str, list[str]]:
        """The documents that each query finds, the best first."""
        name = DocumentKey(owner, collection, "").index_collection
        found: dict[str, list[str]] = {}
        for query in queries:
            passages = await self._index.search(name, query, top_k=_TOP_K)
            found[query] = list(dict.fromkeys(passage.document_id for passage in passages))
        return found

    async def recent_questions(self, owner: str) -> list[str]:
        """The last questions that were answered from documents: probes that matter to this owner."""
        newest = func.max(query_log.c.created_at)
        asked = select(query_log.c.query).where(query_log.c.owner == owner, query_log.c.route == "knowledge")
        recent = asked.group_by(query_log.c.query).order_by(newest.desc()).limit(PROBES)
        return await self._database.read(lambda connection: list(connection.execute(recent).scalars()))


def problems(counts: Counts, probes: Sequence[Probe]) -> list[Problem]:
    """What a person should look at; none when the collection is sound."""
    lost = [probe.query for probe in probes if probe.is_lost]
    found: list[tuple[bool, ProblemCode, str]] = [
        (
            not counts.waiting and counts.chunks != counts.chunks_in_index,
            "chunks_differ",
            f"The index holds {counts.chunks_in_index} chunks, the documents have {counts.chunks}.",
        ),
        (counts.failed > 0, "failed_documents", f"{counts.failed} documents failed (switchyard failed)."),
        (counts.empty > 0, "empty_text", f"{counts.empty} documents have hardly any text."),
        (
            counts.duplicate_rate > _MAX_DUPLICATE_RATE,
            "duplicates",
            f"{counts.duplicate_rate:.0%} of the documents repeat the text of another.",
        ),
        (bool(lost), "probe_lost", f"Nothing that was found before is found now: {'; '.join(lost)}."),
    ]
    return [Problem(code, message) for applies, code, message in found if applies]


def _counts(connection: Connection, owner: str, collection: str, in_index: int) -> Counts:
    mine = (documents.c.owner == owner, documents.c.collection == collection)
    by_status = select(documents.c.status, func.count()).where(*mine).group_by(documents.c.status)
    statuses = {status: count for status, count in connection.execute(by_status)}

    def of_indexed(*columns: ColumnElement[int], where: Sequence[ColumnElement[bool]] = ()) -> Sequence[int]:
        return connection.execute(select(*columns).where(*mine, documents.c.status == "indexed", *where)).one()

    texts, distinct, chunks = of_indexed(
        func.count(documents.c.text_sha256),
        func.count(documents.c.text_sha256.distinct()),
        func.coalesce(func.sum(documents.c.chunks), 0),
    )
    (empty,) = of_indexed(func.count(), where=[func.length(documents.c.text) < _MIN_CHARACTERS])
    return Counts(
        indexed=statuses.get("indexed", 0),
        failed=statuses.get("failed", 0),
        waiting=statuses.get("queued", 0) + statuses.get("indexing", 0),
        chunks=chunks,
        chunks_in_index=in_index,
        empty=empty,
        duplicate_rate=(texts - distinct) / texts if texts else 0.0,
    )
