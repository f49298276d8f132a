"""Is a written sentence supported by the passage it cites? Its words are, strictly its numbers, and it denies no other.

`python -m eval.support` compares this with embeddings alone (docs/support.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.knowledge.documents import Passage
from tools.knowledge.mismatch import NEGATIONS
from tools.knowledge.sentences import split_sentences
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.words import WordVectors

EmbedWords = Callable[[str], WordVectors]

# Models write "[1]" as well as "[1, 2]".
_MARK = r"\[\d{1,3}(?:\s?[,;]\s?\d{1,3})*\]"
_CITATION = re.compile(_MARK)
_DIGITS = re.compile(r"\d+")
# "Filed within 120 days. [1]": the citation belongs to the sentence before it.
_STRAY = re.compile(rf"([.!?])\s*((?:{_MARK}\s*)+)")
_SPACE_BEFORE_STOP = re.compile(r"\s+(?=[.!?,;:](?:\s|$))")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
# Share of a sentence's content terms that the passage must hold.
_MIN_COVERAGE = 0.6


@dataclass(frozen=True)
class CitedSentence:
    """A sentence of an answer without its marks, and the passages that it cites."""

    text: str
    cited: Sequence[Passage]


@dataclass(frozen=True)
class SupportedSentence:
    """A sentence of the answer without its marks, with the passages that support it and a quote from each."""

    text: str
    sources: Sequence[tuple[Passage, str]]


def cited_sentences(answer: str, passages: Sequence[Passage]) -> list[CitedSentence]:
    """The sentences of `answer` with what they cite (`[i]` is `passages[i - 1]`), which may be nothing."""
    attached = _STRAY.sub(lambda m: f" {m.group(2).strip()}{m.group(1)} ", answer)
    found: list[CitedSentence] = []
    for sentence in split_sentences(attached):
        text = _SPACE_BEFORE_STOP.sub("", " ".join(_CITATION.sub("", sentence.text).split()))
        cited = [int(n) for mark in _CITATION.findall(sentence.text) for n in _DIGITS.findall(mark)]
        found.append(CitedSentence(text, [passages[n - 1] for n in dict.fromkeys(cited) if 0 < n <= len(passages)]))
    return found


def supported_sentences(
    answer: str, passages: Sequence[Passage], bm25: Bm25Encoder, words: EmbedWords
) -> list[SupportedSentence]:
    """The sentences of `answer` that a passage they cite supports; the rest is dropped. Blocks."""
    kept: list[SupportedSentence] = []
    for sentence in cited_sentences(answer, passages):
        text = sentence.text
        supporting = [
            (passage, best_quote(text, passage, bm25))
            for passage in sentence.cited
            if is_supported(text, passage, bm25) and negations_agree(text, passage, words)
        ]
        if supporting:
            kept.append(SupportedSentence(text, supporting))
    return kept


def is_supported(sentence: str, passage: Passage, bm25: Bm25Encoder) -> bool:
    """Whether every number of `sentence` occurs in the passage and most of its content terms do."""
    if not holds_numbers(sentence, passage):
        return False
    terms = set(bm25.encode_query(sentence).indices)
    return bool(terms) and len(terms & set(bm25.encode_query(_source(passage)).indices)) >= _MIN_COVERAGE * len(terms)


def holds_numbers(sentence: str, passage: Passage) -> bool:
    """Whether every number of `sentence` occurs in the passage."""
    return set(_NUMBER.findall(sentence)) <= set(_NUMBER.findall(_source(passage)))


def negations_agree(sentence: str, passage: Passage, words: EmbedWords) -> bool:
    """Whether `sentence` has a negation just where the passage's sentence closest in meaning has one. Blocks."""
    said = words(sentence)
    read = [words(one.text) for one in split_sentences(passage.text)]
    if not read:
        return True
    closest = max(read, key=lambda one: float(one.pooled @ said.pooled))
    return NEGATIONS.isdisjoint(said.lower) == NEGATIONS.isdisjoint(closest.lower)


def _source(passage: Passage) -> str:
    return f"{passage.title} {' '.join(passage.heading)} {passage.text}"


def best_quote(sentence: str, passage: Passage, bm25: Bm25Encoder) -> str:
    """The passage's sentence that shares most numbers, then most terms; a longer one before a heading."""
    terms, numbers = set(bm25.encode_query(sentence).indices), set(_NUMBER.findall(sentence))

    def closeness(quote: str) -> tuple[int, int, int]:
        shared = terms & set(bm25.encode_query(quote).indices)
        return len(numbers & set(_NUMBER.findall(quote))), len(shared), len(quote)

    return max((candidate.text for candidate in split_sentences(passage.text)), key=closeness, default=passage.text)
