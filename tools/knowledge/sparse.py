"""BM25 as sparse vectors; the vector store multiplies the inverse document frequency of its own corpus."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.knowledge.lazy_fastembed import fastembed_module
from tools.knowledge.stopwords import ENGLISH_STOPWORDS

if TYPE_CHECKING:
    from fastembed.sparse.bm25 import Bm25

# Chunks are cut at 200 tokens: about 110 terms once function words are gone.
_AVERAGE_TERMS = 110.0


@dataclass(frozen=True)
class SparseVector:
    """Term weights by hashed term: `indices[i]` weighs `values[i]`."""

    indices: list[int]
    values: list[float]


class Bm25Encoder:
    """Robertson and Zaragoza's BM25 (k1 = 1.2, b = 0.75) with Snowball stems, through fastembed."""

    def __init__(self) -> None:
        self._bm25: Bm25 | None = None
        self._loading = threading.Lock()

    def load(self) -> None:
        """Load the library; the first text does it otherwise."""
        self._model()

    def _model(self) -> Bm25:
        with self._loading:
            if self._bm25 is None:
                # An inline stop list and the current folder as "model" keep fastembed away from its hub.
                opened: Bm25 = fastembed_module("fastembed.sparse.bm25").Bm25(
                    "Qdrant/bm25", specific_model_path=".", avg_len=_AVERAGE_TERMS, stopwords=set(ENGLISH_STOPWORDS)
                )
                self._bm25 = opened
            return self._bm25

    def encode_passages(self, texts: Sequence[str]) -> list[SparseVector]:
        """Weights of every term of each text: saturated by frequency, normalised by length."""
        return [SparseVector(v.indices.tolist(), v.values.tolist()) for v in self._model().embed(list(texts))]

    def encode_query(self, text: str) -> SparseVector:
        """The distinct terms of a query, each with weight 1."""
        vector = next(iter(self._model().query_embed(text)))
        return SparseVector(vector.indices.tolist(), vector.values.tolist())
