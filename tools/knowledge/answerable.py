"""The near-miss reader: do the best sentences answer the question, or are they only about the same thing?

A logistic regression over what the span reader finds (`tools.knowledge.span_reader`) and mismatch features
(`tools.knowledge.mismatch`). It runs after the evidence gate and the sentence ranking and reuses the word vectors that
the ranking has computed. `python -m eval.fit_answerable` fits the weights and writes `answerable.json` with their
provenance.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path

from tools.knowledge.documents import Passage
from tools.knowledge.evidence import content_terms
from tools.knowledge.fingerprint import fingerprint
from tools.knowledge.mismatch import Reading, mismatch_features
from tools.knowledge.rank import Candidate
from tools.knowledge.readings import readings
from tools.knowledge.sentences import is_table_row
from tools.knowledge.span_reader import SpanReader
from tools.knowledge.words import WordVectors, stem, word_list

DEFAULT_WEIGHTS = Path(__file__).with_name("answerable.json")
# How many sentences and passages the weights were fitted on.
READ_SENTENCES = 5
READ_PASSAGES = 5
# How many passages the span reader may read: those of the best sentences, one at a time.
SPAN_PASSAGES = 3
SPAN_MARGIN = "span.margin"
# Features further out than anything the weights were fitted on count as the furthest.
CLIP = 4.0
_REMEMBERED_PASSAGES = 2048


@dataclass(frozen=True)
class Verdict:
    """What the reader concluded. `probability` is the chance that the sentences answer the question."""

    probability: float
    threshold: float
    answers: bool
    features: Mapping[str, float]


@dataclass(frozen=True)
class FeatureWeight:
    """How a feature counts: `weight * clip((value - mean) / spread)`."""

    mean: float
    spread: float
    weight: float


@dataclass(frozen=True)
class AnswerReader:
    """A logistic regression over standardised features; `words` embeds a text word by word."""

    words: Callable[[str], WordVectors]
    spans: SpanReader
    weights: Mapping[str, FeatureWeight]
    bias: float
    threshold: float

    @classmethod
    def load(cls, words: Callable[[str], WordVectors], spans: SpanReader, path: Path = DEFAULT_WEIGHTS) -> AnswerReader:
        """Read the fitted weights."""
        fitted = json.loads(path.read_text(encoding="utf-8"))
        weights = {name: FeatureWeight(*values) for name, values in fitted["weights"].items()}
        return cls(words, spans, weights, fitted["bias"], fitted["threshold"])

    @cached_property
    def version(self) -> str:
        """Names the weights, the threshold and the span reader."""
        weights = {name: astuple(weight) for name, weight in self.weights.items()}
        return fingerprint(weights, self.bias, self.threshold, self.spans.version)

    def read(self, question: str, candidates: Sequence[Candidate], passages: Sequence[Passage]) -> Verdict:
        """Judge the best sentences of `passages`, ranked as `SentenceRanker.rank` does.

        Blocks for some tens of milliseconds a passage; the next one is read only while none answers. Without a sentence
        or a word that carries meaning there is nothing to judge, and the verdict is no.
        """
        features = reader_features(self.words, question, candidates, passages)
        verdict = Verdict(0.0, self.threshold, answers=False, features=features)
        if features:
            for margin in self._margins(question, candidates):
                verdict = self._judge({**features, SPAN_MARGIN: margin})
                if verdict.answers:
                    break
        return verdict

    def _margins(self, question: str, candidates: Sequence[Candidate]) -> Iterator[float]:
        """The span reader's margins; the mean, which counts for nothing, where the question names a table's row.

        The reader has learned from prose, and finds no answer in a row whose columns say what is asked for.
        """
        if _names_row(question, candidates[0]):
            return iter([self.weights[SPAN_MARGIN].mean])
        return span_margins(self.spans, question, candidates)

    def _judge(self, features: Mapping[str, float]) -> Verdict:
        logit = self.bias
        for name, one in self.weights.items():
            logit += one.weight * max(-CLIP, min(CLIP, (features[name] - one.mean) / one.spread))
        probability = 1 / (1 + math.exp(-logit))
        return Verdict(probability, self.threshold, answers=probability >= self.threshold, features=features)


def _names_row(question: str, best: Candidate) -> bool:
    """Whether the best sentence is a table's row that has more than two thirds of the question's words.

    Of the words that are in its first cell alone, the question must have half.
    """
    if not is_table_row(best.quote):
        return False
    asked = set(content_terms(question))
    first, _, others = best.text.partition("; ")
    rest = set(content_terms(others))
    own = set(content_terms(first.rpartition(": ")[2])) - rest
    return bool(own) and 2 * len(own & asked) >= len(own) and 3 * len(asked & (own | rest)) > 2 * len(asked)


def span_margins(spans: SpanReader, question: str, candidates: Sequence[Candidate]) -> Iterator[float]:
    """The best margin so far, after each passage that is read: first that of the best sentence."""
    passages = {one.passage.chunk_id: one.passage.text for one in candidates}
    found = (spans.read(question, text) for text in list(passages.values())[:SPAN_PASSAGES])
    return accumulate((span.margin for span in found if span is not None), max)


def reader_features(
    words: Callable[[str], WordVectors], question: str, candidates: Sequence[Candidate], passages: Sequence[Passage]
) -> dict[str, float]:
    """The features of a question with its ranked sentences; empty where there is nothing to compare."""
    asked = words(question)
    sentences = [words(candidate.text) for candidate in candidates[:READ_SENTENCES]]
    sentences = [sentence for sentence in sentences if sentence.words]
    if not asked.content or not sentences:
        return {}
    read = passages[:READ_PASSAGES]
    elsewhere = [stems for passage in read for stems in _sentence_stems(_as_read(passage))]
    cosines = [passage.dense or 0.0 for passage in read]
    return mismatch_features(Reading(asked, sentences, elsewhere, cosines, candidates[0].score))


def _as_read(passage: Passage) -> tuple[str, ...]:
    return tuple(reading.text for reading in readings(passage))


@lru_cache(maxsize=_REMEMBERED_PASSAGES)
def _sentence_stems(sentences: tuple[str, ...]) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(stem(word) for word in word_list(sentence)) for sentence in sentences)
