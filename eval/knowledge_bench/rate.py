"""Passages a second that are indexed, beside those that fastembed alone embeds of the same texts."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.models.files import embedding_folder
from eval.bench.measures import Figures
from eval.samples import SAMPLE_DOCUMENTS
from tools.knowledge.chunk import embedding_text
from tools.knowledge.chunking import ChunkSettings, cut_document
from tools.knowledge.documents import ParsedDocument, Passage
from tools.knowledge.edge_store import EdgeStore
from tools.knowledge.embed import MiniLMEmbedder, open_model
from tools.knowledge.index import KnowledgeIndex
from tools.knowledge.load import parse_file
from tools.knowledge.retrieve import Retriever
from tools.knowledge.sparse import Bm25Encoder

_ROUNDS = 3
_BATCH_SIZES = (1, 8, 256)


def ingest_rate(cache: Path) -> Figures:
    """Index the sample documents and embed the same texts with fastembed, by turns, both on one thread.

    Indexing is cutting, counting tokens, embedding passages and their sentences, BM25 and writing to the store; parsing
    is not in it. fastembed's rate is that of its default batches of 256 and, since those take longest on one thread, of
    the size that suits it best.
    """
    folder = embedding_folder(cache)
    embedder, raw = MiniLMEmbedder(folder), open_model(folder)
    documents = {file.name: parse_file(file.read_bytes(), file.name) for file in sorted(SAMPLE_DOCUMENTS.iterdir())}
    texts = [text for document in documents.values() for text in _embedded_texts(document, embedder)]
    indexed: list[float] = []
    embedded: dict[int, list[float]] = {size: [] for size in _BATCH_SIZES}
    for _ in range(_ROUNDS):
        indexed.append(len(texts) / _index(documents, embedder))
        for size, rates in embedded.items():
            rates.append(len(texts) / _embed(raw, texts, size))
    ours = statistics.median(indexed)
    by_size = {size: statistics.median(rates) for size, rates in embedded.items()}
    default, best = by_size[256], max(by_size.values())
    return {
        "passages": len(texts),
        "rounds": _ROUNDS,
        "indexed_per_s": ours,
        "fastembed_per_s": default,
        "fastembed_best_per_s": best,
        "fastembed_best_batch": max(by_size, key=lambda size: by_size[size]),
        "share_of_fastembed": ours / default,
        "share_of_fastembed_best": ours / best,
    }


def _embedded_texts(document: ParsedDocument, embedder: MiniLMEmbedder) -> list[str]:
    chunks = cut_document(document, ChunkSettings(), count_tokens=embedder.count_tokens, embed=embedder.embed_passages)
    return [
        embedding_text(
            Passage("", "", document.title, one.text, one.page, one.heading, 0.0, context=one.context), document.title
        )
        for one in chunks
    ]


def _index(documents: Mapping[str, ParsedDocument], embedder: MiniLMEmbedder) -> float:
    """Seconds to index all documents in an empty store."""

    async def add_all(index: KnowledgeIndex) -> float:
        started = time.perf_counter()
        for document_id, document in documents.items():
            await index.add("bench", document_id, document)
        return time.perf_counter() - started

    with tempfile.TemporaryDirectory() as folder:
        store = EdgeStore(Path(folder), embedder.dimensions)
        index = KnowledgeIndex(Retriever(store, embedder, Bm25Encoder()), embedder.count_tokens)
        try:
            return asyncio.run(add_all(index))
        finally:
            index.close()


def _embed(raw: Any, texts: Sequence[str], batch_size: int) -> float:
    """Seconds that fastembed takes for all texts."""
    started = time.perf_counter()
    for _ in raw.embed(texts, batch_size=batch_size):
        pass
    return time.perf_counter() - started
