"""Which sentences of the retrieved passages answer a question: likeness, shared rare terms and the passage's rank.

A heuristic that stands in for a trained reader. `python -m eval.ranking_report` measures it on public reading
comprehension data beside its parts; the embedded language model, left to choose by itself, does worse, and weights
fitted on articles did worse on policies.
"""

from __future__ import annotations

import math
import threading
from collections import Counter, OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass

from tools.knowledge.documents import Passage
from tools.knowledge.fingerprint import fingerprint
from tools.knowledge.readings import Reading, readings
from tools.knowledge.sentence_vectors import embed_passages, unpack
from tools.knowledge.sparse import Bm25Encoder
from tools.ports import Embedder, Vector

_CACHED_PASSAGES = 2048
# Embedding a sentence on its own takes milliseconds: only the most promising ones.
_EMBEDDED_SENTENCES = 6
# The language model does not work yet when sentences are ranked.
_EMBEDDING_THREADS = 2


@dataclass(frozen=True)
class Candidate:
    """A sentence that may answer. `quote` is verbatim from the passage, `text` reads well on its own.

    `n` is the passage's position, from 1.
    """

    text: str
    quote: str
    passage: Passage
    n: int
    score: float

    @property
    def cited(self) -> str:
        """The sentence as the answer shows it."""
        return f"{self.text} [{self.n}]"


@dataclass(frozen=True)
class RankWeights:
    """`score = cosine * likeness + shared * (share of the question's terms, by rarity) - rank * ln(position)`.

    Likeness is the mean of two cosines to the question: of the sentence in its passage, and of the sentence alone.
    """

    cosine: float = 1.0
    shared: float = 0.45
    rank: float = 0.04


@dataclass(frozen=True)
class _Sentence:
    """A reading with the terms of it and of the headings above it, and its vector in the passage."""

    reading: Reading
    terms: frozenset[int]
    vector: Vector


_Row = tuple[int, Passage, _Sentence]
DEFAULT_WEIGHTS = RankWeights()


class SentenceRanker:
    """Ranks the sentences of passages for a question. Remembers what it read of a passage."""

    def __init__(self, embedder: Embedder, bm25: Bm25Encoder, weights: RankWeights = DEFAULT_WEIGHTS) -> None:
        """Rank with the models that retrieved the passages."""
        self._embedder = embedder
        self._bm25 = bm25
        self._weights = weights
        self._version = fingerprint(astuple(weights))
        self._cache: OrderedDict[tuple[str, int], list[_Sentence]] = OrderedDict()
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(_EMBEDDING_THREADS, thread_name_prefix="sentences")

    @property
    def version(self) -> str:
        """Names the weights."""
        return self._version

    def rank(self, question: str, passages: Sequence[Passage], *, limit: int) -> list[Candidate]:
        """The `limit` best sentences, best first. Blocks."""
        rows = [
            (n, passage, sentence) for n, passage in enumerate(passages, start=1) for sentence in self._read(passage)
        ]
        query = self._embedder.embed_query(question)
        priors = self._priors(question, query, rows)
        promising = sorted(range(len(rows)), key=lambda i: -priors[i])[:_EMBEDDED_SENTENCES]
        alone = self._embed_alone([rows[i][2].reading.text for i in promising])
        found: list[Candidate] = []
        for i, vector in zip(promising, alone, strict=True):
            n, passage, sentence = rows[i]
            # The prior took the sentence to be as like the question alone as it is in its passage.
            correction = float((vector - sentence.vector) @ query) / 2
            score = priors[i] + self._weights.cosine * correction
            found.append(Candidate(sentence.reading.text, sentence.reading.quote, passage, n, score))
        return _distinct(sorted(found, key=lambda candidate: -candidate.score))[:limit]

    def passage_scores(self, question: str, passages: Sequence[Passage]) -> list[float]:
        """The score of each passage's best sentence: a reranking that needs no further model. Blocks.

        A passage without sentences has the lowest score that one could have.
        """
        query = self._embedder.embed_query(question)
        rows = [[(1, passage, sentence) for sentence in self._read(passage)] for passage in passages]
        return [max(self._priors(question, query, sentences), default=-self._weights.cosine) for sentences in rows]

    def _embed_alone(self, sentences: Sequence[str]) -> list[Vector]:
        shares = _shares(sentences)
        embedded = self._threads.map(self._embedder.embed_queries, shares)
        vectors = {
            sentence: vector
            for share, found in zip(shares, embedded, strict=True)
            for sentence, vector in zip(share, found, strict=True)
        }
        return [vectors[sentence] for sentence in sentences]

    def _read(self, passage: Passage) -> list[_Sentence]:
        key = (passage.chunk_id, hash(passage.text))
        with self._lock:
            if (cached := self._cache.get(key)) is not None:
                self._cache.move_to_end(key)
                return cached
        headings = " ".join(passage.heading)
        found = readings(passage)
        sentences = [
            _Sentence(reading, self._terms(f"{reading.text} {headings}"), vector)
            for reading, vector in zip(found, self._vectors(passage, len(found)), strict=True)
        ]
        with self._lock:
            self._cache[key] = sentences
            if len(self._cache) > _CACHED_PASSAGES:
                self._cache.popitem(last=False)
        return sentences

    def _vectors(self, passage: Passage, sentences: int) -> Vector:
        """A vector for each sentence, as stored; embedded now where the collection is older than that."""
        vectors = unpack(passage.sentence_vectors, self._embedder.dimensions)
        if len(vectors) != sentences:
            [embedded] = embed_passages(self._embedder, [passage])
            vectors = unpack(embedded.sentences, self._embedder.dimensions)
        return vectors

    def _priors(self, question: str, query: Vector, rows: Sequence[_Row]) -> list[float]:
        """What a sentence scores by its vector in the passage, shared terms by rarity, and its passage's rank."""
        wanted = self._terms(question)
        seen = Counter(term for _, _, sentence in rows for term in sentence.terms & wanted)
        rarity = {term: math.log(1 + (len(rows) - seen[term] + 0.5) / (seen[term] + 0.5)) for term in wanted}
        total = sum(rarity.values()) or 1.0
        return [
            self._weights.cosine * float(sentence.vector @ query)
            + self._weights.shared * sum(rarity[term] for term in wanted & sentence.terms) / total
            - self._weights.rank * math.log(n)
            for n, _, sentence in rows
        ]

    def _terms(self, text: str) -> frozenset[int]:
        return frozenset(self._bm25.encode_query(text).indices)


def _shares(sentences: Sequence[str]) -> list[list[str]]:
    """A share for each of two threads, of about the same time: a pass pads all sentences to its longest."""
    ordered = sorted(sentences, key=len)
    cuts = [(ordered[:at], ordered[at:]) for at in range(1, len(ordered))] or [(ordered, [])]
    return [share for share in min(cuts, key=lambda cut: max(map(_cost, cut))) if share]


def _cost(share: Sequence[str]) -> int:
    return len(share) * len(share[-1]) if share else 0


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    kept: dict[str, Candidate] = {}
    for candidate in candidates:
        kept.setdefault(candidate.text.casefold(), candidate)
    return list(kept.values())
