"""The knowledge index: documents go in as chunks, passages come out. One owner for the blocking store and embedder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from tools.knowledge.chunk import chunk_document
from tools.knowledge.corpus_versions import CorpusVersions
from tools.knowledge.documents import ParsedDocument, Passage, Retrieval
from tools.knowledge.points import chunk_points
from tools.knowledge.retrieve import Retriever, SearchMode
from tools.knowledge.store import VectorPoint, Where

_T = TypeVar("_T")

_EMBED_BATCH = 64
_CHUNK_TOKENS = 200
_CHUNK_OVERLAP = 20


@dataclass(frozen=True)
class ChunkSettings:
    """How a document is cut: sizes in tokens of the embedding model."""

    size: int = _CHUNK_TOKENS
    overlap: int = _CHUNK_OVERLAP


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

    async def search(
        self, collection: str, query: str, *, top_k: int, mode: SearchMode = "hybrid", where: Where | None = None
    ) -> list[Passage]:
        """The `top_k` passages for `query`, best first (see `Retriever.search`)."""
        return await self._on_store(
            lambda: self._retriever.search(collection, query, top_k=top_k, mode=mode, where=where)
        )

    async def search_counted(self, collection: str, query: str, *, top_k: int, where: Where) -> Retrieval:
        """The `top_k` passages for `query`, with the size and the version of what they were chosen from."""
        store = self._retriever.store
        return await self._on_store(
            lambda: Retrieval(
                self._retriever.search(collection, query, top_k=top_k, where=where),
                store.count(collection, where),
                self._versions.current(collection),
            )
        )

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
    ) -> int:
        """Chunk, embed and store a document in place of any earlier version; returns the number of chunks.

        Chunks are searchable when this returns; no search sees the document half replaced.
        """
        settings = settings or ChunkSettings()
        points = await self._on_ingest(lambda: self._points(document_id, document, settings, metadata or {}))
        await self._change(collection, lambda: self._replace(collection, document_id, points))
        return len(points)

    async def delete(self, collection: str, document_id: str) -> None:
        """Remove a document's chunks."""
        await self._change(collection, lambda: self._retriever.store.delete_document(collection, document_id))

    def close(self) -> None:
        """Finish what is running and close the store."""
        self._ingest_thread.shutdown(cancel_futures=True)
        self._store_thread.submit(self._retriever.store.close).result()
        self._store_thread.shutdown()

    def _replace(self, collection: str, document_id: str, points: Sequence[VectorPoint]) -> None:
        self._retriever.store.delete_document(collection, document_id)
        self._retriever.store.upsert(collection, points)

    def _points(
        self, document_id: str, document: ParsedDocument, settings: ChunkSettings, metadata: dict[str, Any]
    ) -> list[VectorPoint]:
        chunks = chunk_document(document, size=settings.size, overlap=settings.overlap, count_tokens=self._count_tokens)
        points: list[VectorPoint] = []
        for first in range(0, len(chunks), _EMBED_BATCH):
            batch = chunks[first : first + _EMBED_BATCH]
            points += chunk_points(
                document_id,
                document.title,
                batch,
                embedder=self._retriever.embedder,
                bm25=self._retriever.bm25,
                metadata=metadata,
            )
        return points

    async def _change(self, collection: str, write: Callable[[], None]) -> None:
        """Write to a collection; every write goes through here, or a version would outlive its content."""

        def versioned() -> None:
            self._versions.renew(collection)
            write()

        await self._on_store(versioned)

    async def _on_store(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._store_thread, work)

    async def _on_ingest(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._ingest_thread, work)
