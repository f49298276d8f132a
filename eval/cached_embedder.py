"""An embedder that remembers across runs, so that refitting costs seconds after the first time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tools.ports import Embedder, Span, SpanVectors, Vector


class CachedEmbedder:
    """Wraps an embedder; `save` writes all vectors to one file."""

    def __init__(self, embedder: Embedder, path: Path) -> None:
        """Start from the vectors in `path`, if it exists."""
        self._embedder = embedder
        self._path = path
        self._vectors: dict[str, Vector] = {}
        if path.exists():
            with np.load(path) as stored:
                self._vectors = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))

    @property
    def dimensions(self) -> int:
        """Length of an embedding."""
        return self._embedder.dimensions

    def embed_passages(self, texts: Sequence[str]) -> Vector:
        """See `Embedder.embed_passages`; texts are embedded one by one, as queries are."""
        vectors = [self.embed_query(text) for text in texts]
        return np.stack(vectors) if vectors else np.zeros((0, self.dimensions), dtype=np.float32)

    def embed_spans(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[SpanVectors]:
        """See `Embedder.embed_spans`; not remembered."""
        return self._embedder.embed_spans(texts, spans)

    def embed_query(self, text: str) -> Vector:
        """See `Embedder.embed_query`."""
        key = hashlib.sha256(text.encode()).hexdigest()[:24]
        if (vector := self._vectors.get(key)) is None:
            vector = self._vectors[key] = self._embedder.embed_query(text)
        return vector

    def embed_queries(self, texts: Sequence[str]) -> list[Vector]:
        """See `Embedder.embed_queries`."""
        return [self.embed_query(text) for text in texts]

    def save(self) -> None:
        """Keep what was embedded."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".partial.npz")
        np.savez(partial, keys=np.array(list(self._vectors)), vectors=np.stack(list(self._vectors.values())))
        partial.replace(self._path)
