"""Texts as word vectors: what the embedding model says of each word in its context, not only of the whole text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import py_rust_stemmers

from tools.knowledge.stopwords import ENGLISH_STOPWORDS
from tools.ports import Vector

_SNOWBALL: Callable[[str], str] = py_rust_stemmers.SnowballStemmer("english").stem_word  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue, reportUnknownVariableType]
_YEAR = re.compile(r"1\d{3}|20\d\d")
_REMEMBERED_STEMS = 65536
_WORDS = re.compile(r"\w+")
QUESTION_WORDS = frozenset("what who whom whose when where which why how".split())


@lru_cache(maxsize=_REMEMBERED_STEMS)
def stem(word: str) -> str:
    """The Snowball stem of a word, lower case."""
    return _SNOWBALL(word.lower())


def word_list(text: str) -> list[str]:
    """The words of a text, without punctuation."""
    return _WORDS.findall(text)


@dataclass(frozen=True)
class WordVectors:
    """A text's words and punctuation in order, their (n, 384) unit vectors and the whole text's (384,) embedding."""

    words: Sequence[str]
    vectors: Vector
    pooled: Vector

    @cached_property
    def lower(self) -> list[str]:
        """The words in lower case."""
        return [word.lower() for word in self.words]

    @cached_property
    def stems(self) -> list[str]:
        """The words' stems."""
        return [stem(word) for word in self.words]

    @cached_property
    def content(self) -> list[int]:
        """Positions of the words that carry meaning: no function words, question words or punctuation."""
        return [
            i
            for i, word in enumerate(self.lower)
            if word[0].isalnum()
            and word not in ENGLISH_STOPWORDS
            and word not in QUESTION_WORDS
            and (len(word) > 1 or word.isdigit())
        ]

    def is_name(self, position: int) -> bool:
        """Whether a word is capitalised without beginning the text."""
        return position > 0 and self.words[position][0].isupper()

    def is_year(self, position: int) -> bool:
        """Whether a word is a year between 1000 and 2099."""
        return _YEAR.fullmatch(self.words[position]) is not None


def group_pieces(
    text: str, word_ids: Sequence[int | None], offsets: Sequence[tuple[int, int]], tokens: Vector
) -> tuple[list[str], Vector]:
    """Average the (n, d) vectors of word pieces to unit vectors of words; pieces past the last token are left out."""
    pieces: dict[int, list[int]] = {}
    for position, word in enumerate(word_ids[: len(tokens)]):
        if word is not None:
            pieces.setdefault(word, []).append(position)
    words = [text[offsets[places[0]][0] : offsets[places[-1]][1]] for places in pieces.values()]
    if not words:
        return [], np.zeros((0, tokens.shape[1]), dtype=np.float32)
    means = np.stack([tokens[places].mean(axis=0) for places in pieces.values()])
    return words, means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
