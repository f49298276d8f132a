"""Sentences as vectors in their context: the mean of their words' vectors in the pass that embeds the whole chunk.

Late chunking (Guenther et al. 2024, arXiv:2409.04701): the sentences of a chunk cost nothing beside the chunk, and a
sentence that says "it" is embedded with what "it" is. Stored with the chunk in one byte a dimension.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.chunk import embedding_text
from tools.knowledge.documents import Passage
from tools.knowledge.readings import Reading, readings
from tools.ports import Embedder, Span, Vector

_LARGEST = 127


@dataclass(frozen=True)
class EmbeddedPassage:
    """A passage's (d,) vector and its packed sentence vectors, in the order of `readings`."""

    text: str
    vector: Vector
    sentences: str


def embed_passages(embedder: Embedder, passages: Sequence[Passage]) -> list[EmbeddedPassage]:
    """Embed passages and, in the same pass, what can be quoted from them. Blocks."""
    texts = [embedding_text(passage, passage.title) for passage in passages]
    spans = [_spans(text, passage.text, readings(passage)) for text, passage in zip(texts, passages, strict=True)]
    embedded = embedder.embed_spans(texts, spans)
    return [EmbeddedPassage(text, one.whole, pack(one.spans)) for text, one in zip(texts, embedded, strict=True)]


def pack(vectors: Vector) -> str:
    """(n, d) unit vectors as text: one signed byte a dimension, scaled to each vector's largest."""
    largest = np.maximum(np.abs(vectors).max(axis=1, keepdims=True, initial=0.0), 1e-9)
    scaled: Vector = vectors * (_LARGEST / largest)
    steps: NDArray[np.int8] = np.rint(scaled).astype(np.int8)
    return base64.b64encode(steps.tobytes()).decode("ascii")


def unpack(packed: str, dimensions: int) -> Vector:
    """The (n, dimensions) unit vectors of `pack`."""
    vectors = np.frombuffer(base64.b64decode(packed), dtype=np.int8).reshape(-1, dimensions).astype(np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _spans(text: str, passage: str, found: Sequence[Reading]) -> list[Span]:
    """Where the readings stand in `text`, which ends with `passage`."""
    spans: list[Span] = []
    position = first = len(text) - len(passage)
    for reading in found:
        start = text.find(reading.quote, position)
        start = text.find(reading.quote, first) if start < 0 else start
        spans.append((start, start + len(reading.quote)))
        position = spans[-1][1]
    return spans
