"""Word vectors that are remembered across runs, so that refitting the reader costs seconds after the first time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.words import WordVectors
from tools.ports import Span, SpanVectors, Vector


class CachedWords:
    """Wraps the embedder for questions and sentences; `save` writes everything to one file, in half precision."""

    def __init__(self, embedder: MiniLMEmbedder, path: Path) -> None:
        """Start from what `path` holds, if it exists."""
        self._embedder = embedder
        self._path = path
        self._found: dict[str, WordVectors] = {}
        if path.exists():
            self._load()

    @property
    def dimensions(self) -> int:
        """Length of an embedding."""
        return self._embedder.dimensions

    def embed_words(self, text: str) -> WordVectors:
        """See `MiniLMEmbedder.embed_words`."""
        if (found := self._found.get(text)) is None:
            found = self._found[text] = self._embedder.embed_words(text)
        return found

    def embed_query(self, text: str) -> Vector:
        """See `Embedder.embed_query`."""
        return self.embed_words(text).pooled

    def embed_queries(self, texts: Sequence[str]) -> list[Vector]:
        """See `Embedder.embed_queries`."""
        return [self.embed_query(text) for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Vector:
        """See `Embedder.embed_passages`."""
        return np.stack([self.embed_query(text) for text in texts])

    def embed_spans(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[SpanVectors]:
        """See `Embedder.embed_spans`; not remembered."""
        return self._embedder.embed_spans(texts, spans)

    def save(self) -> None:
        """Keep what was embedded."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        found = list(self._found.values())
        partial = self._path.with_suffix(".partial.npz")
        np.savez(
            partial,
            texts=np.array(list(self._found)),
            words=np.array([word for one in found for word in one.words]),
            counts=np.array([len(one.words) for one in found]),
            vectors=np.concatenate([one.vectors for one in found]).astype(np.float16),
            pooled=np.stack([one.pooled for one in found]),
        )
        partial.replace(self._path)

    def _load(self) -> None:
        with np.load(self._path) as stored:
            ends: list[int] = np.cumsum(stored["counts"]).tolist()
            words, vectors, pooled = stored["words"].tolist(), stored["vectors"], stored["pooled"]
            for row, text in enumerate(stored["texts"].tolist()):
                part = slice(ends[row - 1] if row else 0, ends[row])
                self._found[text] = WordVectors(words[part], vectors[part].astype(np.float32), pooled[row])
