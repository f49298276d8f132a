"""The knowledge index: documents go in as chunks, passages come out. One owner for the blocking store and embedder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any, TypeVar

from tools.knowledge.chunking import ChunkSettings, cut_document
from tools.knowledge.corpus_versions import CorpusVersions
from tools.knowledge.documents import ParsedDocument, Passage, Retrieval
from tools.knowledge.parents import with_neighbours
from tools.knowledge.points import ChunkPoints, by_content, chunk_points
from tools.knowledge.retrieve import Retriever, SearchMode
from tools.knowledge.store import VectorPoint, Where

_T = TypeVar("_T")

_EMBED_BATCH = 64


@dataclass(frozen=True)
class Indexed:
    """What came of adding a document: its chunks, and how many of them had to be embedded."""

    chunks: int
    embedded: int


class KnowledgeIndex:
    """Search and indexing for any collection, safe to call from the event loop.

    The store is not thread-safe: one worker thread owns it. A second one embeds documents, so that a long ingestion
    never stands before a question.
    """

    def __init__(
        self, retriever: Retriever, count_tokens: Callable[[str], int], versions: CorpusVersions | None = None
    ) -> None:
        """Serve `retriever`; `count_tokens` counts in tokens of its embedder, `versions` follow every write."""
        self._retriever = retriever
        self._versions = versions or CorpusVersions()
        self._count_tokens = count_tokens
        self._store_thread = ThreadPoolExecutor(1, thread_name_prefix="vector-store")
        self._ingest_thread = ThreadPoolExecutor(1, thread_name_prefix="ingest")
        self._closing = Event()
        self._lock = Lock()
        self._flushes: dict[str, Future[None]] = {}

    async def search(
        self, collection: str, query: str, *, top_k: int, mode: SearchMode = "hybrid", where: Where | None = None
    ) -> list[Passage]:
        """The `top_k` passages for `query`, best first (see `Retriever.search`)."""
        return await self._on_store(
            lambda: self._retriever.search(collection, query, top_k=top_k, mode=mode, where=where)
        )

    async def search_counted(
        self, collection: str, query: str, *, top_k: int, where: Where, drop: Callable[[Passage], bool] | None = None
    ) -> Retrieval:
        """The `top_k` passages for `query`, with the size and the version of what they were chosen from.

        `drop` is called on the store's thread (see `Retriever.search`).
        """
        store = self._retriever.store
        return await self._on_store(
            lambda: Retrieval(
                self._retriever.search(collection, query, top_k=top_k, where=where, drop=drop),
                store.count(collection, where),
                self._versions.current(collection),
            )
        )

    async def neighbours(self, collection: str, passages: Sequence[Passage]) -> list[Passage]:
        """The chunks beside `passages` in their sections, in the order of `passages` (see `with_neighbours`)."""
        store = self._retriever.store
        found = await self._on_store(lambda: with_neighbours(passages, lambda ids: store.payloads(collection, ids)))
        return [neighbour for beside in found.values() for neighbour in beside]

    def version(self, collection: str) -> str:
        """The version of a collection's content: every ingestion and deletion changes it, before the content."""
        return self._versions.current(collection)

    async def count(self, collection: str, where: Where | None = None) -> int:
        """Number of chunks in a collection."""
        return await self._on_store(lambda: self._retriever.store.count(collection, where or Where()))

    async def add(
        self,
        collection: str,
        document_id: str,
        document: ParsedDocument,
        *,
        settings: ChunkSettings | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Indexed:
        """Chunk, embed and store a document in place of any earlier version.

        Chunks whose content an earlier version had keep their vectors. All chunks are searchable when this returns; no
        search sees the document half replaced. Versions of one document must not be added at the same time.
        """
        store, settings = self._retriever.store, settings or ChunkSettings()
        earlier = await self._on_store(lambda: store.document_points(collection, document_id))
        new = await self._on_ingest(lambda: self._points(document_id, document, settings, metadata or {}, earlier))
        await self._change(collection, lambda: self._replace(collection, earlier, new.points))
        return Indexed(len(new.points), new.embedded)

    async def delete(self, collection: str, document_id: str) -> None:
        """Remove a document's chunks."""
        await self._change(collection, lambda: self._retriever.store.delete_document(collection, document_id))

    def close(self) -> None:
        """Close the store; what is being embedded stops at its next batch."""
        self._closing.set()
        self._ingest_thread.shutdown(cancel_futures=True)
        self._store_thread.submit(self._retriever.store.close).result()
        self._store_thread.shutdown()

    def _replace(self, collection: str, earlier: Sequence[VectorPoint], points: Sequence[VectorPoint]) -> None:
        stored = {point.point_id: point.payload for point in earlier}
        stale = stored.keys() - {point.point_id for point in points}
        self._retriever.store.delete_points(collection, sorted(stale))
        changed = [point for point in points if stored.get(point.point_id) != point.payload]
        self._retriever.store.upsert(collection, changed)

    def _points(
        self,
        document_id: str,
        document: ParsedDocument,
        settings: ChunkSettings,
        metadata: dict[str, Any],
        earlier: Sequence[VectorPoint],
    ) -> ChunkPoints:
        embed = self._retriever.embedder.embed_passages
        chunks = cut_document(document, settings, count_tokens=self._count_tokens, embed=embed)
        known, points, embedded = by_content(earlier), list[VectorPoint](), 0
        for first in range(0, len(chunks), _EMBED_BATCH):
            if self._closing.is_set():
                raise CancelledError
            batch = chunk_points(
                document_id,
                document.title,
                chunks[first : first + _EMBED_BATCH],
                embedder=self._retriever.embedder,
                bm25=self._retriever.bm25,
                metadata=metadata,
                known=known,
            )
            known |= by_content(batch.points)
            points += batch.points
            embedded += batch.embedded
        return ChunkPoints(points, embedded)

    async def _change(self, collection: str, write: Callable[[], None]) -> None:
        """Write to a collection; every write goes through here, or a version would outlive its content."""

        def versioned() -> None:
            self._versions.renew(collection)
            write()

        await self._on_store(versioned)
        await self._flushed(collection)

    async def _flushed(self, collection: str) -> None:
        """Wait for a flush that has yet to begin: one for all who have written by then."""
        with self._lock:
            if (flush := self._flushes.get(collection)) is None:
                flush = self._flushes[collection] = self._store_thread.submit(self._flush, collection)
        # Others wait for it, too.
        await asyncio.shield(asyncio.wrap_future(flush))

    def _flush(self, collection: str) -> None:
        with self._lock:
            del self._flushes[collection]
        self._retriever.store.flush(collection)

    async def _on_store(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._store_thread, work)

    async def _on_ingest(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._ingest_thread, work)
