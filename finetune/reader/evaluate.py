"""What the exported reader is worth on documents that it was not trained on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from finetune.reader.rows import ReadingRow
from tools.knowledge.span_reader import FoundSpan, SpanReader

_ARTICLE = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = re.compile(r"[^\w\s]")


def evaluate(reader: SpanReader, rows: Sequence[ReadingRow]) -> dict[str, Any]:
    """Figures over rows, each question with its own passage.

    `f1` and `exact` compare the best span with the answers as SQuAD does, over answerable rows; `auroc` says how well
    the margin tells answerable from unanswerable ones (None where there is one kind only), `at_zero` what a margin
    above 0 decides.
    """
    found = [reader.read(row.question, row.passage) or FoundSpan(-np.inf, 0, 0) for row in rows]
    labels = np.array([row.answerable for row in rows], dtype=bool)
    margins = np.array([one.margin for one in found])
    answered = [(row, row.passage[one.start : one.end]) for row, one in zip(rows, found, strict=True) if row.answerable]
    return {
        "rows": len(rows),
        "answerable": int(labels.sum()),
        "f1": _mean([max(token_f1(text, answer) for answer in row.answers) for row, text in answered]),
        "exact": _mean([float(any(_words(text) == _words(one) for one in row.answers)) for row, text in answered]),
        "auroc": None if labels.all() or not labels.any() else round(float(roc_auc_score(labels, margins)), 4),
        "at_zero": {
            "answered": _mean((margins[labels] > 0).tolist()),
            "abstained": _mean((margins[~labels] <= 0).tolist()),
        },
    }


def token_f1(text: str, answer: str) -> float:
    """Harmonic mean of precision and recall over words, articles and punctuation left out (Rajpurkar et al. 2016)."""
    said, right = _words(text), _words(answer)
    shared = (Counter(said) & Counter(right)).total()
    return 2 * shared / (len(said) + len(right)) if shared else 0.0


def _words(text: str) -> list[str]:
    return _ARTICLE.sub(" ", _PUNCTUATION.sub("", text.lower())).split()


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None
