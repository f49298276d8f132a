"""Do two documents say different things? Sentences in nearly the same words with other numbers, dates or amounts.

A heuristic: values in digits or number words are compared, names are not, and other words for the same are not noticed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from tools.knowledge.rank import Candidate
from tools.knowledge.stopwords import ENGLISH_STOPWORDS
from tools.knowledge.words import QUESTION_WORDS, stem, word_list

_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
}
_MEANINGLESS = ENGLISH_STOPWORDS | QUESTION_WORDS | frozenset(_NUMBER_WORDS)
# Share of what both say in all that either says, and the fewest words that both say.
_ALIKE = 0.6
_FEWEST = 3
_REMEMBERED = 1024


def disagreement(question: str, candidates: Sequence[Candidate]) -> tuple[Candidate, Candidate] | None:
    """The best sentence with the next best one of another document that contradicts it; None where none does."""
    for other in candidates[1:]:
        if other.passage.document_id != candidates[0].passage.document_id and _disagree(question, candidates[0], other):
            return candidates[0], other
    return None


def _disagree(question: str, one: Candidate, other: Candidate) -> bool:
    asked, asked_values = _words(question), _values(question)
    values = _values(one.text) - asked_values, _values(other.text) - asked_values
    if not (values[0] - values[1] and values[1] - values[0]):
        return False
    words = _words(one.text), _words(other.text)
    shared, different = words[0] & words[1], words[0] ^ words[1]
    if len(shared) < _FEWEST or len(shared) < _ALIKE * len(words[0] | words[1]):
        return False
    # "the debit card", asked for, stands in one of them only: the other is about something else.
    headings = _words(_heading(one)) ^ _words(_heading(other))
    return not asked & different and not asked & headings - shared


def _heading(candidate: Candidate) -> str:
    return " ".join([candidate.passage.title, *candidate.passage.heading])


@lru_cache(_REMEMBERED)
def _values(text: str) -> frozenset[str]:
    numbers = (number.replace(",", "") for number in _NUMBER.findall(text))
    return frozenset([*numbers, *(_NUMBER_WORDS[word] for word in text.lower().split() if word in _NUMBER_WORDS)])


@lru_cache(_REMEMBERED)
def _words(text: str) -> frozenset[str]:
    """Stems of what carries meaning, values left out."""
    words = [word.lower() for word in word_list(text)]
    return frozenset(stem(word) for word in words if word.isalpha() and word not in _MEANINGLESS)
