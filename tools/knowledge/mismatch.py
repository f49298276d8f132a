"""What of a question its best sentences do not carry: features for deciding whether they answer it.

Coverage of the question's words by stem, closeness of its words to the sentences' words (late interaction, as ColBERT
scores passages), negations, and the likeness of whole texts. Opposites, numbers and names that disagree mark the near
misses that people write on purpose; asked about rules and procedures they mark honest questions ("at 3 in the morning",
"an annual charge for a debit card") and are left out.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.knowledge.words import WordVectors
from tools.ports import Vector

_NOT = frozenset("not cannot t".split())
NEGATIONS = _NOT | frozenset("never no none neither nor without".split())
_EXCLUSIONS = frozenset("except besides other instead rather outside".split())
_ABSOLUTES = frozenset("ever never always only all every".split())
# Before "not" these deny a part of the sentence and not what it says: "a shop known for not delivering".
_BEFORE_A_PART = frozenset("for of by from in with about or if but and why whether when while".split())
_MOST_MISSING = 6
_NEAR_SENTENCES = 3

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """A question with what was found for it.

    `sentences` are the best, best first; `elsewhere` holds the stems of every sentence of the retrieved passages,
    `cosines` the passages' cosines, best passage first, and `rank_score` the best sentence's score.
    """

    question: WordVectors
    sentences: Sequence[WordVectors]
    elsewhere: Sequence[Collection[str]]
    cosines: Sequence[float]
    rank_score: float


def mismatch_features(reading: Reading) -> dict[str, float]:
    """All features by `group.name`. The question must hold a content word, and there must be a sentence."""
    question, best = reading.question, reading.sentences[0]
    here = frozenset(best.stems)
    anywhere = frozenset[str]().union(*reading.elsewhere)
    rarity = _rarity([question.stems[i] for i in question.content], reading.elsewhere)
    cosines: Vector = question.vectors[question.content] @ best.vectors.T
    return {
        **_coverage("best", question, here, rarity),
        **_coverage("anywhere", question, anywhere, rarity),
        **_closeness(question, best, cosines, rarity),
        **_negations(question.lower, reading.sentences),
        **_likeness(reading),
    }


def _rarity(stems: Sequence[str], sentences: Sequence[Collection[str]]) -> _Floats:
    """Inverse document frequency over the retrieved sentences."""
    seen = [sum(word in sentence for sentence in sentences) for word in stems]
    return np.array([math.log(1 + (max(len(sentences) - n, 0) + 0.5) / (n + 0.5)) for n in seen])


def _coverage(scope: str, question: WordVectors, stems: Collection[str], rarity: _Floats) -> dict[str, float]:
    missing = np.array([question.stems[i] not in stems for i in question.content])
    names = sum(question.is_name(i) for i, gone in zip(question.content, missing, strict=True) if gone)
    years = sum(question.is_year(i) for i, gone in zip(question.content, missing, strict=True) if gone)
    return {
        f"coverage.{scope}_share": 1 - float(missing.mean()),
        f"coverage.{scope}_rare": 1 - float(missing @ rarity) / (float(rarity.sum()) or 1.0),
        f"coverage.{scope}_missing": float(min(missing.sum(), _MOST_MISSING)),
        f"coverage.{scope}_names": float(names),
        f"coverage.{scope}_years": float(years),
    }


def _closeness(question: WordVectors, best: WordVectors, cosines: Vector, rarity: _Floats) -> dict[str, float]:
    """How close the sentence's words come to each word of the question (ColBERT's MaxSim and its low end)."""
    closest = cosines.max(axis=1)
    stems = frozenset(best.stems)
    found = np.array([question.stems[i] in stems for i in question.content])
    names = [place for place, i in enumerate(question.content) if question.is_name(i)]
    every: Vector = question.vectors @ best.vectors.T
    ordered = np.sort(closest)
    return {
        "words.lowest": float(ordered[0]),
        "words.second": float(ordered[min(1, len(ordered) - 1)]),
        "words.mean": float(closest.mean()),
        "words.rare": float(closest @ rarity) / (float(rarity.sum()) or 1.0),
        "words.lowest_missing": float(closest[~found].min()) if not found.all() else 1.0,
        "words.mean_missing": float(closest[~found].mean()) if not found.all() else 1.0,
        "words.highest_missing": float(closest[~found].max()) if not found.all() else 0.0,
        "words.lowest_found": float(closest[found].min()) if found.any() else 0.0,
        "words.lowest_name": float(closest[names].min()) if names else 1.0,
        "words.question": float(every.max(axis=1).mean()),
        "words.sentence": float(every.max(axis=0).mean()),
        "words.sentence_top": float(np.sort(every.max(axis=0))[-3:].mean()),
    }


def _negations(words: Sequence[str], sentences: Sequence[WordVectors]) -> dict[str, float]:
    """Whether the question asks for what is not so, and no sentence near says what is not so."""
    negated = any(word in _NOT and not _denies_a_part(words, i) for i, word in enumerate(words))
    denied = any(not NEGATIONS.isdisjoint(sentence.lower) for sentence in sentences[:_NEAR_SENTENCES])
    return {
        "negation.not": float(negated),
        "negation.not_there": float(negated and not denied),
        "negation.excluded": float(not _EXCLUSIONS.isdisjoint(words)),
        "negation.absolute": float(not _ABSOLUTES.isdisjoint(words)),
    }


def _denies_a_part(words: Sequence[str], i: int) -> bool:
    before = words[i - 1] if i else ""
    after = words[i + 1] if i + 1 < len(words) else ""
    return before in _BEFORE_A_PART or (after.endswith("ing") and before.endswith(("ed", "n", "s")))


def _likeness(reading: Reading) -> dict[str, float]:
    found = [float(reading.question.pooled @ sentence.pooled) for sentence in reading.sentences]
    ordered = sorted(found, reverse=True)
    first, *others = reading.cosines
    return {
        "likeness.best": found[0],
        "likeness.highest": ordered[0],
        "likeness.mean3": float(np.mean(ordered[:_NEAR_SENTENCES])),
        "likeness.margin": ordered[0] - ordered[min(2, len(ordered) - 1)],
        "likeness.passage": first,
        "likeness.passage_margin": first - float(np.mean(others)) if others else 0.0,
        "likeness.passage_drop": max(reading.cosines) - ordered[0],
        "likeness.rank_score": reading.rank_score,
    }
