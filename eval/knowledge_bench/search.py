"""Milliseconds of a hybrid search among synthetic passages, with and without filters."""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.models.files import embedding_folder
from eval.bench.measures import Figures
from tools.knowledge.edge_store import EdgeStore
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.index import KnowledgeIndex
from tools.knowledge.retrieve import Retriever
from tools.knowledge.sentence_vectors import pack
from tools.knowledge.sparse import Bm25Encoder, SparseVector
from tools.knowledge.store import VectorPoint, Where
from tools.ports import Vector

_QUERIES = 200
_TOP_K = 8
_OWNER = "owner/documents"
_CHUNKS_A_DOCUMENT = 20
_TEAMS = 10
_SENTENCES = 6
_TERMS = 60
_VOCABULARY = 20_000
_WRITTEN_AT_ONCE = 1000
_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu".split()


def search_latency(cache: Path, passages: int) -> Figures:
    """Search one owner's collection of `passages` chunks for queries that nobody asked before.

    An owner's collection is a shard of its own, so the owner is no condition of the search; documents and metadata are.
    The query's embedding is part of each search, and measured alone, too.
    """
    embedder, bm25 = MiniLMEmbedder(embedding_folder(cache)), Bm25Encoder()
    words = [_word(number) for number in range(_VOCABULARY)]
    with tempfile.TemporaryDirectory() as folder:
        store = EdgeStore(Path(folder), embedder.dimensions)
        index = KnowledgeIndex(Retriever(store, embedder, bm25), embedder.count_tokens)
        try:
            written = _fill(store, embedder.dimensions, bm25, words, passages)
            searches = {
                "owner": Where(),
                "documents": Where(document_ids=[f"doc-{n}" for n in range(passages // _CHUNKS_A_DOCUMENT // 10)]),
                "metadata": Where(metadata={"team": 3}),
            }
            figures: Figures = {"passages": passages, "written_per_s": written, "queries": _QUERIES}
            for seed, (name, where) in enumerate(searches.items()):
                taken = asyncio.run(_search(index, _queries(words, seed), where))
                figures |= {f"{name}_p50_ms": _quantile(taken, 50), f"{name}_p95_ms": _quantile(taken, 95)}
            alone = [_timed_embedding(embedder, query) for query in _queries(words, len(searches))]
            return figures | {"query_embedding_p50_ms": _quantile(alone, 50)}
        finally:
            index.close()


def _fill(store: EdgeStore, dimensions: int, bm25: Bm25Encoder, words: Sequence[str], passages: int) -> float:
    """Write points of random directions and of words as rare as those of a language; points written a second."""
    rng = np.random.default_rng(0)
    spent = 0.0
    for first in range(0, passages, _WRITTEN_AT_ONCE):
        count = min(_WRITTEN_AT_ONCE, passages - first)
        vectors = rng.standard_normal((count * (1 + _SENTENCES), dimensions), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        ranks: list[int] = (np.minimum(rng.zipf(1.2, count * _TERMS), _VOCABULARY) - 1).tolist()
        texts = [" ".join(words[rank] for rank in ranks[row * _TERMS :][:_TERMS]) for row in range(count)]
        points = [
            _point(first + row, text, vectors[row], pack(vectors[count + row * _SENTENCES :][:_SENTENCES]), sparse)
            for row, (text, sparse) in enumerate(zip(texts, bm25.encode_passages(texts), strict=True))
        ]
        started = time.perf_counter()
        store.upsert(_OWNER, points)
        store.flush(_OWNER)
        spent += time.perf_counter() - started
    return passages / spent


def _point(number: int, text: str, dense: Vector, sentences: str, sparse: SparseVector) -> VectorPoint:
    document_id = f"doc-{number // _CHUNKS_A_DOCUMENT}"
    chunk_id = f"{document_id}#{number % _CHUNKS_A_DOCUMENT}"
    payload: dict[str, Any] = {
        "chunk_id": chunk_id,
        "document_id": document_id,
        "title": document_id,
        "text": text,
        "page": None,
        "heading": [],
        "context": "",
        "sentence_vectors": sentences,
        "content_hash": chunk_id,
        "metadata": {"team": number % _TEAMS},
    }
    return VectorPoint(chunk_id, dense, sparse, payload)


async def _search(index: KnowledgeIndex, queries: Sequence[str], where: Where) -> list[float]:
    """Milliseconds of each search; the first, which opens the shard, is left out."""
    taken: list[float] = []
    for query in queries:
        started = time.perf_counter()
        await index.search(_OWNER, query, top_k=_TOP_K, where=where)
        taken.append(1000 * (time.perf_counter() - started))
    return taken[1:]


def _timed_embedding(embedder: MiniLMEmbedder, query: str) -> float:
    started = time.perf_counter()
    embedder.embed_query(query)
    return 1000 * (time.perf_counter() - started)


def _queries(words: Sequence[str], seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(words[:2000], k=rng.randint(5, 12))) for _ in range(_QUERIES + 1)]


def _word(number: int) -> str:
    """A word that no other number has, of four syllables."""
    base = len(_SYLLABLES)
    return "".join(_SYLLABLES[number // place % base] for place in (1, base, base * base, base * base * base))


def _quantile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]
