"""Which sentences of the retrieved passages answer a question: a linear model over cheap features.

`python -m eval.fit_ranker` fits the weights on public reading comprehension data and writes `rank.json` with their
provenance and the held-out table. The embedded language model, asked to choose by itself, does worse than this.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.knowledge.documents import Passage
from tools.knowledge.readings import Reading, readings
from tools.knowledge.sparse import Bm25Encoder
from tools.ports import Embedder, Vector

DEFAULT_WEIGHTS = Path(__file__).with_name("rank.json")
_CACHED_PASSAGES = 2048
_NUMBER = (
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|half|twice|dozen|hundred|thousand|million)\b"
)
_TIME = (
    r"\b(?:seconds?|minutes?|hours?|days?|nights?|weeks?|months?|years?|daily|weekly|monthly|yearly|annual(?:ly)?|"
    r"immediately|january|february|march|april|june|july|august|september|october|november|december|midnight|noon|"
    r"century|decade)\b|\b\d{1,2}:\d{2}\b|\b(?:1[5-9]|20)\d\d\b"
)
_MONEY = r"[$€£¥]|\b(?:eur|usd|gbp|chf|dollars?|euros?|pounds?|cents?|free of charge|per ?cent)\b|%"
# What a question of a kind asks for, and how a sentence that gives it looks.
_EXPECTED = {
    "duration": (re.compile(r"\bhow (?:long|soon|quickly|fast|often)\b|\bwhen\b|\bdeadline\b|\bby what time\b"), _TIME),
    "money": (re.compile(r"\bhow much\b|\b(?:fee|cost|costs|price|charged?|amount|limit|threshold)\b"), _MONEY),
    "number": (re.compile(r"\bhow many\b|\bwhat (?:number|percentage|share|score|age)\b"), _NUMBER),
    "person": (
        re.compile(r"\bwho\b|\bwhom\b|\bwhose\b|\bwhich (?:team|person|role|department|manager)\b"),
        r"(?<!^)(?<![.!?] )\b[A-Z][a-z]+|\b(?:team|manager|officer|head|committee|analyst|lead|director|unit|desk)\b",
    ),
    "reason": (re.compile(r"\bwhy\b"), r"\b(?:because|since|so that|in order to|due to|reason|therefore|to avoid)\b"),
}
_LOOKS = {kind: re.compile(look, 0 if kind == "person" else re.IGNORECASE) for kind, (_, look) in _EXPECTED.items()}
FEATURES = (
    "cosine",
    "cosine_before",
    "cosine_after",
    "passage_cosine",
    "shared",
    "shared_with_heading",
    "passage_shared",
    "rank",
    "expected_found",
    "expected_missing",
    "number_found",
    "novelty",
    "short",
    "long",
    "is_row",
)


@dataclass(frozen=True)
class Candidate:
    """A sentence that may answer. `quote` is verbatim from the passage, `text` reads well on its own.

    `n` is the passage's position, from 1; `score` the log odds that the sentence holds the answer.
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
class _Digested:
    """A passage made ready for ranking: its readings with their embeddings and terms."""

    readings: Sequence[Reading]
    vectors: Vector
    terms: Sequence[frozenset[int]]
    heading_terms: frozenset[int]
    passage_terms: frozenset[int]


_Row = tuple[int, Passage, Reading]


@dataclass(frozen=True)
class RankWeights:
    """A linear model: `score = bias + sum(weight * feature)`."""

    weights: Mapping[str, float]
    bias: float

    @classmethod
    def load(cls, path: Path = DEFAULT_WEIGHTS) -> RankWeights:
        """Read the fitted weights."""
        fitted = json.loads(path.read_text("utf-8"))
        return cls(fitted["weights"], fitted["bias"])

    def scores(self, features: Vector) -> Vector:
        """Scores of (n, len(FEATURES)) feature rows, as (n,)."""
        return features @ np.array([self.weights[name] for name in FEATURES], dtype=np.float32) + self.bias


class SentenceRanker:
    """Ranks the sentences of passages for a question. Remembers what it read of a passage."""

    def __init__(self, embedder: Embedder, bm25: Bm25Encoder, weights: RankWeights | None = None) -> None:
        """Rank with the models that retrieved the passages."""
        self._embedder = embedder
        self._bm25 = bm25
        self._weights = weights or RankWeights.load()
        self._cache: OrderedDict[tuple[str, int], _Digested] = OrderedDict()
        self._lock = threading.Lock()

    def rank(self, question: str, passages: Sequence[Passage], *, limit: int) -> list[Candidate]:
        """The `limit` best sentences, best first. Blocks."""
        rows, features = self.features(question, passages)
        if not rows:
            return []
        scores = self._weights.scores(features)
        ranked = [
            Candidate(reading.text, reading.quote, passage, n, float(score))
            for (n, passage, reading), score in zip(rows, scores, strict=True)
        ]
        return _distinct(sorted(ranked, key=lambda row: -row.score))[:limit]

    def passage_scores(self, question: str, passages: Sequence[Passage]) -> list[float]:
        """The score of each passage's best sentence: a reranking that needs no further model. Blocks."""
        rows, features = self.features(question, passages)
        best = [-math.inf] * len(passages)
        for (n, _, _), score in zip(rows, self._weights.scores(features) if rows else [], strict=True):
            best[n - 1] = max(best[n - 1], float(score))
        return best

    def features(self, question: str, passages: Sequence[Passage]) -> tuple[list[_Row], Vector]:
        """Every quotable sentence as (position of its passage, passage, reading), and a row of `FEATURES` for each."""
        digested = [(n, passage, self._digest(passage)) for n, passage in enumerate(passages, start=1)]
        digested = [entry for entry in digested if entry[2].readings]
        rows = [(n, passage, reading) for n, passage, digest in digested for reading in digest.readings]
        if not rows:
            return [], np.zeros((0, len(FEATURES)), dtype=np.float32)
        query = self._embedder.embed_query(question)
        cosines = [digest.vectors @ query for _, _, digest in digested]
        texts = [reading.text for _, _, reading in rows]
        table = [
            np.concatenate(cosines),
            np.concatenate([np.concatenate([[0.0], cosine[:-1]]) for cosine in cosines]),
            np.concatenate([np.concatenate([cosine[1:], [0.0]]) for cosine in cosines]),
            [passage.dense or 0.0 for _, passage, _ in rows],
            *self._shares(question, [digest for _, _, digest in digested]),
            [math.log(n) for n, _, _ in rows],
            *zip(*(_expectation(question, text) for text in texts), strict=True),
            [_novelty(question, text) for text in texts],
            [float(len(text.split()) < 7) for text in texts],
            [max(0.0, len(text.split()) - 25) / 25 for text in texts],
            [float(reading.is_row) for _, _, reading in rows],
        ]
        return rows, np.array(table, dtype=np.float32).T

    def _digest(self, passage: Passage) -> _Digested:
        key = (passage.chunk_id, hash(passage.text))
        with self._lock:
            if (cached := self._cache.get(key)) is not None:
                self._cache.move_to_end(key)
                return cached
        found = readings(passage)
        digest = _Digested(
            found,
            self._embedder.embed_passages([reading.text for reading in found]),
            [self._terms(reading.text) for reading in found],
            self._terms(" ".join((passage.title, *passage.heading))),
            self._terms(passage.text),
        )
        with self._lock:
            self._cache[key] = digest
            if len(self._cache) > _CACHED_PASSAGES:
                self._cache.popitem(last=False)
        return digest

    def _shares(self, question: str, digests: Sequence[_Digested]) -> tuple[list[float], list[float], list[float]]:
        """Shares of the question's terms, weighted by rarity: in the sentence, with its headings, in the passage."""
        wanted = self._terms(question)
        sentences = [(terms, digest) for digest in digests for terms in digest.terms]
        seen = Counter(term for terms, _ in sentences for term in terms & wanted)
        rarity = {term: math.log(1 + (len(sentences) - seen[term] + 0.5) / (seen[term] + 0.5)) for term in wanted}
        total = sum(rarity.values()) or 1.0

        def share(terms: frozenset[int]) -> float:
            return sum(rarity[term] for term in wanted & terms) / total

        return (
            [share(terms) for terms, _ in sentences],
            [share(terms | digest.heading_terms) for terms, digest in sentences],
            [share(digest.passage_terms) for _, digest in sentences],
        )

    def _terms(self, text: str) -> frozenset[int]:
        return frozenset(self._bm25.encode_query(text).indices)


def _expectation(question: str, sentence: str) -> tuple[float, float, float]:
    """Whether the sentence holds what the question's kind asks for, lacks it, and holds a number that is not asked."""
    asked = [kind for kind, (asks, _) in _EXPECTED.items() if asks.search(question.lower())]
    found = any(_LOOKS[kind].search(sentence) for kind in asked)
    numbers = set(re.findall(r"\d+(?:[.,]\d+)*", sentence)) - set(re.findall(r"\d+(?:[.,]\d+)*", question))
    return float(found), float(bool(asked) and not found), float(bool(numbers))


def _novelty(question: str, sentence: str) -> float:
    """Share of the sentence's words that the question does not have: what only repeats the question answers nothing."""
    words = set(re.findall(r"\w+", sentence.lower()))
    return len(words - set(re.findall(r"\w+", question.lower()))) / max(1, len(words))


def _distinct(ranked: Sequence[Candidate]) -> list[Candidate]:
    kept: dict[str, Candidate] = {}
    for row in ranked:
        kept.setdefault(row.text.casefold(), row)
    return list(kept.values())
