"""Sentences of the passages as answers: ranked, offered to the model, and nothing else is generated.

A model of 135M parameters paraphrases badly, so it answers by choosing: a GBNF grammar admits only the best-ranked
sentences, each followed by its citation. The ranking (cosine and shared rare terms) is a heuristic that stands in for
a trained reader; `docs/answers.md` measures it against the model's own choice.
"""

from __future__ import annotations

import math
import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tools.knowledge.documents import Passage
from tools.knowledge.sentences import is_rule, is_table_row, split_sentences
from tools.knowledge.sparse import Bm25Encoder
from tools.ports import Embedder, Vector

_MAX_WORDS = 60
_MIN_WORDS = 3
_LEXICAL_WEIGHT = 0.12
_RANK_WEIGHT = 0.08
# Sentences this close to the best one are the model's to choose from; the rest could only make the answer worse.
_TIE = 0.02
_EXTRA_SHARE = 0.85
_MAX_EXTRAS = 2
_CACHED_PASSAGES = 2048
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+")
# What a printed page repeats: "Merchant blacklist policy | Page 1", "- 3 of 12 -".
_PAGE_FURNITURE = re.compile(
    r"(?:[^.!?]{0,100}[|·•–—-]\s*)?(?:page )?\d{1,4}(?: ?(?:of|/) ?\d{1,4})?(?:\s*[|·•–—-][^.!?]{0,100})?",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"[*_`]{1,3}")


@dataclass(frozen=True)
class Candidate:
    """A sentence that may answer. `quote` is verbatim from the passage, `text` reads well on its own."""

    text: str
    quote: str
    passage: Passage
    n: int
    score: float

    @property
    def cited(self) -> str:
        """The sentence as the answer shows it."""
        return f"{self.text} [{self.n}]"


class SentenceRanker:
    """Ranks the sentences of passages for a question. Remembers sentence embeddings by passage."""

    def __init__(self, embedder: Embedder, bm25: Bm25Encoder) -> None:
        """Rank with the models that retrieved the passages."""
        self._embedder = embedder
        self._bm25 = bm25
        self._cache: OrderedDict[tuple[str, int], Vector] = OrderedDict()
        self._lock = threading.Lock()

    def rank(self, question: str, passages: Sequence[Passage], *, limit: int) -> list[Candidate]:
        """The `limit` best sentences, best first. `passages[i]` is cited as `[i + 1]`. Blocks."""
        found = [(position, passage, _readings(passage)) for position, passage in enumerate(passages, start=1)]
        rows = [(n, passage, text, quote) for n, passage, readings in found for text, quote in readings]
        if not rows:
            return []
        vectors = np.concatenate([self._embed(passage, [t for t, _ in r]) for _, passage, r in found if r])
        cosines = vectors @ self._embedder.embed_query(question)
        lexical = self._lexical(question, [f"{text} {' '.join(passage.heading)}" for _, passage, text, _ in rows])
        candidates = [
            Candidate(text, quote, passage, n, float(cosine) + _LEXICAL_WEIGHT * shared - _RANK_WEIGHT * math.log(n))
            for (n, passage, text, quote), cosine, shared in zip(rows, cosines, lexical, strict=True)
        ]
        return _distinct(sorted(candidates, key=lambda candidate: -candidate.score))[:limit]

    def passage_scores(self, question: str, passages: Sequence[Passage]) -> list[float]:
        """The score of each passage's best sentence: a reranking that needs no further model. Blocks."""
        ranked = [self.rank(question, [passage], limit=1) for passage in passages]
        return [found[0].score if found else float("-inf") for found in ranked]

    def _embed(self, passage: Passage, texts: Sequence[str]) -> Vector:
        key = (passage.chunk_id, hash(passage.text))
        with self._lock:
            if (cached := self._cache.get(key)) is not None:
                self._cache.move_to_end(key)
                return cached
        vectors = self._embedder.embed_passages(texts)
        with self._lock:
            self._cache[key] = vectors
            if len(self._cache) > _CACHED_PASSAGES:
                self._cache.popitem(last=False)
        return vectors

    def _lexical(self, question: str, texts: Sequence[str]) -> list[float]:
        wanted = set(self._bm25.encode_query(question).indices)
        terms = [set(self._bm25.encode_query(text).indices) for text in texts]
        seen = Counter(term for found in terms for term in found)
        rarity = {term: math.log(1 + (len(texts) - n + 0.5) / (n + 0.5)) for term, n in seen.items()}
        return [sum(rarity[term] for term in wanted & found) / (1 + 0.02 * len(found)) for found in terms]


def quote_grammar(candidates: Sequence[Candidate]) -> str:
    """A GBNF grammar for one of the best sentences, then one of those nearly as good where there are any."""
    first, extras = _split(candidates)
    if not extras:
        return f"root ::= {_alternatives(first)}"
    return f'root ::= first " " extra\nfirst ::= {_alternatives(first)}\nextra ::= {_alternatives(extras)}'


def chosen_candidates(answer: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates that an answer of `quote_grammar` consists of, in order; a cut-off sentence is left out."""
    chosen: list[Candidate] = []
    rest = answer.strip()
    # Whole sentences from the start: one candidate's text can be part of another's.
    while fitting := [candidate for candidate in candidates if rest.startswith(candidate.cited)]:
        chosen.append(max(fitting, key=lambda candidate: len(candidate.cited)))
        rest = rest[len(chosen[-1].cited) :].lstrip()
    return chosen


def _split(candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    best = candidates[0]
    first = [candidate for candidate in candidates if best.score - candidate.score <= _TIE]
    room = _MAX_WORDS - max(len(candidate.text.split()) for candidate in first)
    extras = [
        candidate
        for candidate in candidates
        if candidate not in first
        and candidate.score >= _EXTRA_SHARE * best.score
        and len(candidate.text.split()) <= room
    ]
    return first, extras[:_MAX_EXTRAS]


def _alternatives(candidates: Sequence[Candidate]) -> str:
    return " | ".join(_literal(candidate.cited) for candidate in candidates)


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def _readings(passage: Passage) -> list[tuple[str, str]]:
    """(readable text, verbatim quote) of each sentence worth quoting."""
    header = _header(passage.context) if is_table_row(passage.context) else None
    headings = [" ".join(heading.split()) for heading in (passage.title, *passage.heading)]
    readings: list[tuple[str, str]] = []
    for sentence in split_sentences(passage.text):
        if is_table_row(sentence.text):
            if header is None:
                header = _header(sentence.text)
            elif any(cells := _cells(sentence.text)) and not is_rule(sentence.text):
                readings.append((_row_text(header, cells), sentence.text))
            continue
        header = None
        text = _plain(sentence.text)
        is_heading = _HEADING.match(sentence.text) or any(heading.endswith(text) for heading in headings)
        if not is_heading and not _PAGE_FURNITURE.fullmatch(text) and len(text.split()) >= _MIN_WORDS:
            readings.append((text, sentence.text))
    return [(text, quote) for text, quote in readings if len(text.split()) <= _MAX_WORDS]


def _header(row: str) -> list[str]:
    # The rule below a header is part of its sentence.
    return _cells(row.split("\n", 1)[0])


def _cells(row: str) -> list[str]:
    return [_plain(cell) for cell in re.split(r"\s*\|\s*|\t+", row.strip().strip("|"))]


def _row_text(header: Sequence[str], cells: Sequence[str]) -> str:
    if len(header) != len(cells):
        return "; ".join(cell for cell in cells if cell)
    return "; ".join(f"{name}: {cell}" for name, cell in zip(header, cells, strict=True) if cell)


def _plain(text: str) -> str:
    without_marker = re.sub(r"^\s*(?:[-*+•▪]|\(?\d{1,3}[.)])\s+", "", text)
    return " ".join(_MARKUP.sub("", without_marker).split())


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    kept: dict[str, Candidate] = {}
    for candidate in candidates:
        kept.setdefault(candidate.text.casefold(), candidate)
    return list(kept.values())
