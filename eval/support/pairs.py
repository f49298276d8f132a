"""Labelled statements about short passages, and the ways of scoring them that are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import yaml
from pydantic import TypeAdapter

from tools.knowledge.documents import Passage
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.sentences import split_sentences
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.support import holds_numbers, is_supported, negations_agree

PAIRS_FILE = Path(__file__).with_name("pairs.yaml")
SHIPPED = "shipped"
TERMS = "terms, 0.6 of them"
Kind = Literal["its own sentence", "in other words", "its words, another meaning", "about something else"]
KINDS: Sequence[Kind] = get_args(Kind)


@dataclass(frozen=True)
class _Row:
    passage: str
    supported: list[str]
    unsupported: list[str]


@dataclass(frozen=True)
class Pair:
    """A statement about a passage; `develop` says that thresholds may be fitted on it."""

    passage: Passage
    statement: str
    kind: Kind
    develop: bool

    @property
    def supported(self) -> bool:
        """Whether the passage says it."""
        return self.kind in ("its own sentence", "in other words")


def load_pairs(path: Path = PAIRS_FILE) -> list[Pair]:
    """Statements about every passage of the file; every other passage is for developing.

    Beside those of the file: each passage's own sentences, and those of the passage two below, of the same half.
    """
    rows = TypeAdapter(list[_Row]).validate_python(yaml.safe_load(path.read_text("utf-8")))
    pairs: list[Pair] = []
    for i, row in enumerate(rows):
        passage = Passage(f"p{i}#0", f"p{i}", "", row.passage, None, (), 1.0)
        elsewhere = rows[(i + 2) % len(rows)].passage
        said: dict[Kind, list[str]] = {
            "its own sentence": [one.text for one in split_sentences(row.passage)],
            "in other words": row.supported,
            "its words, another meaning": row.unsupported,
            "about something else": [one.text for one in split_sentences(elsewhere)],
        }
        pairs += [Pair(passage, one, kind, i % 2 == 0) for kind, statements in said.items() for one in statements]
    return pairs


def scores(pairs: Sequence[Pair], bm25: Bm25Encoder, embedder: MiniLMEmbedder) -> Mapping[str, list[float]]:
    """A score of each pair by each way; 0 where a number of the statement is not in the passage. Blocks."""
    scored = [_scores(pair, bm25, embedder) for pair in pairs]
    return {name: [one[name] for one in scored] for name in scored[0]}


def _scores(pair: Pair, bm25: Bm25Encoder, embedder: MiniLMEmbedder) -> dict[str, float]:
    said, text = embedder.embed_words(pair.statement), embedder.embed_words(pair.passage.text)
    sentences = [embedder.embed_words(one.text) for one in split_sentences(pair.passage.text)]
    closest = max(sentences, key=lambda one: float(one.pooled @ said.pooled))
    terms = set(bm25.encode_query(pair.statement).indices)
    lexical = len(terms & set(bm25.encode_query(pair.passage.text).indices)) / max(len(terms), 1)
    likeness = float(closest.pooled @ said.pooled)
    soft = float((said.vectors[said.content] @ text.vectors.T).max(axis=1).mean())
    agree = negations_agree(pair.statement, pair.passage, embedder.embed_words)
    holds = holds_numbers(pair.statement, pair.passage)
    combined = (lexical + likeness + soft) / 3
    return {
        SHIPPED: float(is_supported(pair.statement, pair.passage, bm25) and agree),
        TERMS: float(lexical >= 0.6 and holds),
        "terms": lexical * holds,
        "likeness of sentences": likeness * holds,
        "likeness of words": soft * holds,
        "likeness of words, negations agree": soft * holds * agree,
        "terms, negations agree": lexical * holds * agree,
        "mean of the three": combined * holds,
        "mean of the three, negations agree": combined * holds * agree,
    }
