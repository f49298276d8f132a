"""What the router has to beat: keywords, and TF-IDF with logistic regression on the same training rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from agent.router.utterances import Intent, Utterances

_KEYWORDS: tuple[tuple[Intent, re.Pattern[str]], ...] = (
    ("extraction", re.compile(r"\b(extract|parse|json|invoice|receipt|agreement|fields|dear)\b", re.IGNORECASE)),
    ("fraud", re.compile(r"\b(fraud|suspicious|score|transaction|amount|legit|alert)\b", re.IGNORECASE)),
    ("question", re.compile(r"\?|^(what|who|when|where|why|how|which|can|does|do|is|are|explain)\b", re.IGNORECASE)),
)


def keyword_intents(texts: Sequence[str]) -> list[Intent]:
    """The first class whose keywords appear, else `other`."""
    return [_keyword_intent(text) for text in texts]


def tfidf_intents(utterances: Utterances, texts: Sequence[str]) -> list[Intent]:
    """Word and pair TF-IDF with logistic regression, fitted on the training split."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    rows = utterances.of("train")
    words: Any = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model: Any = LogisticRegression(C=20.0, class_weight="balanced", max_iter=2000)
    model.fit(words.fit_transform([row.text for row in rows]), [row.intent for row in rows])
    return model.predict(words.transform(list(texts))).tolist()


def _keyword_intent(text: str) -> Intent:
    for intent, words in _KEYWORDS:
        if words.search(text):
            return intent
    return "other"
