"""Sentence embeddings with fastembed: any folder with an ONNX model and its tokenizer."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from tools.knowledge.lazy_fastembed import fastembed_module
from tools.knowledge.words import WordVectors, group_pieces
from tools.ports import Span, SpanVectors, Vector

_MODEL_NAME = "switchyard/minilm-l6-v2-int8"
_DIMENSIONS = 384
_CACHED_QUERIES = 4096
# A sentence's word vectors take 384 numbers a word: 30 kB.
_CACHED_WORDS = 512
# One thread gains nothing from large batches, and ONNX keeps the memory of the largest one: 32 chunks of 200 tokens
# took 800 MB and 9% more time than one by one. Short sentences still share a call.
_BATCH_CHARACTERS = 1200


class MiniLMEmbedder:
    """all-MiniLM-L6-v2 (384 dimensions, mean pooling, L2-normalised) on one ONNX thread.

    One thread leaves the other cores to the language model; two spinning pools on the same cores slow both down.
    """

    def __init__(self, folder: Path) -> None:
        """Read texts with the model in `folder` (`model.onnx`, `tokenizer.json`, `config.json`, ...).

        The first text loads it, unless `load` is called before.
        """
        self._folder = folder
        self._model: Any = None
        self._loading = threading.Lock()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._queries: OrderedDict[str, Vector] = OrderedDict()
        self._words: OrderedDict[str, WordVectors] = OrderedDict()
        self._lock = threading.Lock()

    def load(self) -> None:
        """Load the model; blocks for about a second, most of which its library takes."""
        self._onnx()

    def _onnx(self) -> Any:
        with self._loading:
            if self._model is None:
                self._model = open_model(self._folder)
        # fastembed pools before it answers; the model behind it gives the tokens.
        return self._model.model

    @property
    def dimensions(self) -> int:
        """Length of an embedding."""
        return _DIMENSIONS

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` as the model reads them, without the two special ones."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def embed_passages(self, texts: Sequence[str]) -> Vector:
        """Embed texts to a (len(texts), 384) float32 array."""
        vectors = np.empty((len(texts), _DIMENSIONS), dtype=np.float32)
        for position, tokens in self._tokens(texts):
            vectors[position] = _mean(tokens)
        return vectors

    def embed_spans(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[SpanVectors]:
        """Embed texts and spans of each in one pass; a span is the mean of its tokens (zeros past the 512th)."""
        found: dict[int, SpanVectors] = {}
        for position, tokens in self._tokens(texts):
            offsets = self._tokenizer.encode(texts[position]).offsets[: len(tokens)]
            starts_at, ends_at = np.array(offsets, dtype=np.int64).reshape(-1, 2).T
            parts = np.zeros((len(spans[position]), _DIMENSIONS), dtype=np.float32)
            for row, (start, end) in enumerate(spans[position]):
                inside = (starts_at >= start) & (ends_at <= end) & (ends_at > starts_at)
                if inside.any():
                    parts[row] = _mean(tokens[inside])
            found[position] = SpanVectors(_mean(tokens), parts)
        return [found[position] for position in range(len(texts))]

    def embed_query(self, text: str) -> Vector:
        """Embed one query to a (384,) float32 array; the last 4,096 queries are remembered."""
        return self.embed_queries([text])[0]

    def embed_queries(self, texts: Sequence[str]) -> list[Vector]:
        """Embed queries or sentences as `embed_query` does; those that are new share a pass of the model."""
        known: dict[str, Vector] = {}
        with self._lock:
            for text in texts:
                if (cached := self._queries.get(text)) is not None:
                    self._queries.move_to_end(text)
                    known[text] = cached
        new = list(dict.fromkeys(text for text in texts if text not in known))
        for text, words in zip(new, self._embed_words(new), strict=True):
            words.pooled.setflags(write=False)
            known[text] = words.pooled
            with self._lock:
                self._queries[text] = words.pooled
                if len(self._queries) > _CACHED_QUERIES:
                    self._queries.popitem(last=False)
                self._remember_words(text, words)
        return [known[text] for text in texts]

    def embed_words(self, text: str) -> WordVectors:
        """The words of a query or sentence as vectors; free where `embed_query` embedded it among the last 512."""
        with self._lock:
            if (cached := self._words.get(text)) is not None:
                self._words.move_to_end(text)
                return cached
        [words] = self._embed_words([text])
        with self._lock:
            self._remember_words(text, words)
        return words

    def _remember_words(self, text: str, words: WordVectors) -> None:
        self._words[text] = words
        if len(self._words) > _CACHED_WORDS:
            self._words.popitem(last=False)

    def _embed_words(self, texts: Sequence[str]) -> list[WordVectors]:
        """One pass of the model gives both the words and, as their mean, the texts' embeddings."""
        found: dict[int, WordVectors] = {}
        for position, tokens in self._tokens(texts):
            encoding = self._tokenizer.encode(texts[position])
            words, vectors = group_pieces(texts[position], encoding.word_ids, encoding.offsets, tokens)
            found[position] = WordVectors(words, vectors, _mean(tokens))
        return [found[position] for position in range(len(texts))]

    def _tokens(self, texts: Sequence[str]) -> Iterator[tuple[int, Vector]]:
        """The (n, 384) vectors of each text's tokens, with its position in `texts`; in the order of their length."""
        model = self._onnx()
        for batch in _batches(texts):
            output = model.onnx_embed([texts[i] for i in batch])
            for position, vectors, mask in zip(batch, output.model_output, output.attention_mask, strict=True):
                yield position, vectors[: int(mask.sum())].astype(np.float32)


def _mean(tokens: Vector) -> Vector:
    mean = tokens.mean(axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-12)


def _batches(texts: Sequence[str]) -> Iterator[list[int]]:
    """Positions of texts of similar length, so that no time is wasted on padding, in batches of bounded size."""
    batch: list[int] = []
    for position in sorted(range(len(texts)), key=lambda i: len(texts[i])):
        if batch and (len(batch) + 1) * len(texts[position]) > _BATCH_CHARACTERS:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


def open_model(folder: Path) -> Any:
    """fastembed's `TextEmbedding` over the files in `folder`, on one thread. Blocks for about a second."""
    embedding = fastembed_module().TextEmbedding
    described = fastembed_module("fastembed.common.model_description")
    if not any(model["model"] == _MODEL_NAME for model in embedding.list_supported_models()):
        embedding.add_custom_model(
            model=_MODEL_NAME,
            pooling=described.PoolingType.MEAN,
            normalization=True,
            # fastembed wants a source even when the files are given; nothing is ever fetched from it.
            sources=described.ModelSource(hf=_MODEL_NAME),
            dim=_DIMENSIONS,
            model_file="model.onnx",
        )
    return embedding(_MODEL_NAME, specific_model_path=str(folder), threads=1)
