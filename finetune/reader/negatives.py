"""Questions that their passage does not answer, made of ones that are answered.

Two kinds beside those that people wrote: the question with the likest other passage of its document, which is what
retrieval brings up; and the question with a name, a number or a word exchanged, which is how people write near misses
(Rajpurkar, Jia and Liang 2018, "Know What You Don't Know", table 1).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from finetune.reader.rows import ReadingRow

_LIKEST = 3
_NAME = re.compile(r"(?<!^)(?<![.?!] )\b[A-Z][\w'’-]+(?: (?:of |the |de )?[A-Z][\w'’-]+)*")
_NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")
_FIRST_WORDS = frozenset({"The", "In", "A", "An", "It", "He", "She", "They", "This", "These"})
_AUXILIARY = re.compile(
    r"\b(was|were|is|are|did|does|do|can|could|has|have|will|would)\b( (?:the |a |an )?\w+)?", re.IGNORECASE
)
_BEFORE_THE_VERB = frozenset({"did", "does", "do", "can", "could", "will", "would", "has", "have"})
_OPPOSITES = """
first last, largest smallest, most least, more less, before after, highest lowest, oldest youngest, increase decrease,
best worst, north south, east west, win lose, won lost, began ended, begin end, early late, with without, high low,
many few, larger smaller, male female, good bad, allow forbid, support oppose, start stop, above below, major minor,
positive negative, old new, same different, maximum minimum, longest shortest, common rare, inside outside,
include exclude, rise fall, public private, accept refuse, buy sell, longer shorter, always never, minimum maximum
"""
_TRIES = 30
_DENIED_SHARE = 0.25


def likest_elsewhere(rows: Sequence[ReadingRow], rng: random.Random) -> list[ReadingRow]:
    """Each answered question with one of the three likest passages of its document that do not hold its answer."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    found: list[ReadingRow] = []
    for own in _by_title(rows):
        passages = list(dict.fromkeys(row.passage for row in own))
        answered = [row for row in own if row.answerable]
        if len(passages) <= _LIKEST or not answered:
            continue
        words: Any = TfidfVectorizer(stop_words="english", sublinear_tf=True).fit(passages)
        likeness = (words.transform([row.question for row in answered]) @ words.transform(passages).T).toarray()
        for row, scores in zip(answered, likeness, strict=True):
            ranked = [passages[place] for place in np.argsort(-scores)[: 2 * _LIKEST]]
            if others := [text for text in ranked if not _holds(text, row)][:_LIKEST]:
                found.append(_unanswerable(row, passage=rng.choice(others)))
    return found


def altered(rows: Sequence[ReadingRow], rng: random.Random) -> list[ReadingRow]:
    """Answered questions that ask for something else now: another name or number, an opposite, what is not so."""
    found: list[ReadingRow] = []
    for own in _by_title(rows):
        names = sorted({name for row in own for name in _NAME.findall(row.passage)})
        numbers = sorted({number for row in own for number in _NUMBER.findall(row.passage)})
        for row in own:
            if row.answerable and (others := _alterations(row, names, numbers, rng)):
                found.append(_unanswerable(row, question=rng.choice(others)))
    return found


def _alterations(row: ReadingRow, names: Sequence[str], numbers: Sequence[str], rng: random.Random) -> list[str]:
    question = row.question.strip()
    others: list[str] = []
    if here := _NAME.findall(question):
        one = rng.choice(here)
        fitting = [
            name
            for name in rng.sample(names, min(_TRIES, len(names)))
            if name not in question and one not in name and name.split()[0] not in _FIRST_WORDS
        ]
        others += [question.replace(one, name, 1) for name in fitting[:1] if name not in row.answers]
    if here := _NUMBER.findall(question):
        one = rng.choice(here)
        fitting = [n for n in rng.sample(numbers, min(_TRIES, len(numbers))) if n != one and len(n) == len(one)]
        others += [question.replace(one, number, 1) for number in fitting[:1] if number not in row.answers]
    if here := [word for word in re.findall(r"\w+", question) if word.lower() in _OPPOSITE]:
        one = rng.choice(here)
        # Twice: these are rarer than names, and harder.
        others += 2 * [re.sub(rf"\b{one}\b", rng.choice(_OPPOSITE[one.lower()]), question, count=1)]
    if rng.random() < _DENIED_SHARE and (denied := _AUXILIARY.sub(_denied, question, count=1)) != question:
        others.append(denied)
    return others


def _denied(auxiliary: re.Match[str]) -> str:
    verb, after = auxiliary[1], auxiliary[2] or ""
    return f"{verb}{after} not" if verb.lower() in _BEFORE_THE_VERB else f"{verb} not{after}"


def _opposites() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in _OPPOSITES.replace("\n", " ").split(","):
        one, other = pair.split()
        found.setdefault(one, []).append(other)
        found.setdefault(other, []).append(one)
    return found


_OPPOSITE = _opposites()


def _by_title(rows: Sequence[ReadingRow]) -> Iterable[list[ReadingRow]]:
    for _, own in groupby(sorted(rows, key=lambda row: row.title), key=lambda row: row.title):
        yield list(own)


def _holds(passage: str, row: ReadingRow) -> bool:
    low = passage.lower()
    return any(answer.lower() in low for answer in row.answers)


def _unanswerable(row: ReadingRow, **changes: str) -> ReadingRow:
    return row.model_copy(update={**changes, "answerable": False, "answers": ()})
