"""Passages ordered again by something that reads each of them with the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from tools.knowledge.documents import Passage

# What reranking may choose from, as `switchyard eval retrieval` measures it.
RERANK_DEPTH = 20


class PassageScorer(Protocol):
    """Scores passages for a question: the sentence ranker, or a cross-encoder where one is configured."""

    def passage_scores(self, question: str, passages: Sequence[Passage]) -> list[float]:
        """A score for each passage, higher where it answers the question better; scales differ. Blocks."""
        ...


def rerank(scorer: PassageScorer, question: str, passages: Sequence[Passage]) -> list[Passage]:
    """The passages by their new scores, best first; those of equal score stay in their order. Blocks."""
    scores = scorer.passage_scores(question, passages)
    scored = [replace(passage, score=score) for passage, score in zip(passages, scores, strict=True)]
    return sorted(scored, key=lambda passage: -passage.score)
