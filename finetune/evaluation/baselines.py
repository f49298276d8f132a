"""The simple methods, fitted on the adapter's training rows and judged on the same test rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from finetune.cost.prompts import prompt_with_rules
from finetune.data.difficulty import boost_on_fields
from finetune.data.prepare import company_policy
from finetune.evaluation.metrics import Floats, Scored, binary
from finetune.labels import LabelSpace
from finetune.rows import Row
from tools.fraud.features import derive_features
from tools.fraud.flags import heuristic_score, raise_flags
from tools.fraud.number_levels import NumberLevels
from tools.fraud.prompt import LabelExample, LabelPrompt
from tools.fraud.transaction import Transaction

FOLDS = 5
_RULES_THRESHOLD = 0.5
_EXAMPLES_PER_CLASS = 2
_EXAMPLES_SEED = 0
_DIGITS = re.compile(r"\d")


def base_prompts(prompt: LabelPrompt, train: Sequence[Row] | None, labels: LabelSpace) -> dict[str, LabelPrompt]:
    """How the base model is asked without an adapter: as it is (zero-shot), and with rules and examples (few-shot).

    Transactions get the company's rules and hand-written examples; other rows two training rows of each class. Without
    either there is no few-shot prompt. Numbers are shown as they are.
    """
    prompt = replace(prompt, levels=None)
    asked = {"base_model": prompt}
    if train and not has_transactions(train):
        random = np.random.default_rng(_EXAMPLES_SEED)
        by_class = [[row for row in train if labels.index(row.label) == at] for at in range(len(labels.classes))]
        drawn = [random.permutation(len(rows))[:_EXAMPLES_PER_CLASS] for rows in by_class]
        examples = [
            LabelExample(by_class[at][place].text, labels.words[at])
            for turn in range(_EXAMPLES_PER_CLASS)
            for at, places in enumerate(drawn)
            for place in places[turn : turn + 1]
        ]
        asked["base_few_shot"] = replace(prompt, examples=tuple(examples))
    elif train:
        asked["base_few_shot"] = prompt_with_rules(company_policy(None))
    return asked


def simple_methods(
    rows: Sequence[Row],
    truth: Sequence[int],
    train: Sequence[Row] | None,
    labels: LabelSpace,
    levels: NumberLevels | None,
) -> dict[str, Scored]:
    """Every baseline that needs no language model and applies to these rows, by name."""
    known = list(truth) if train is None else [labels.index(row.label) for row in train]
    found = {
        "majority": majority(truth, known, len(labels.classes)),
        "tfidf_lr": tfidf_logistic(rows, truth, train, labels),
    }
    if train and levels is not None:
        found["numbers_lr"] = numbers_logistic(rows, truth, train, labels, levels)
    if labels.binary and has_transactions(rows):
        found["rules"] = rules(rows, truth)
        if train and has_transactions(train):
            found["gradient_boosting"] = boosted_fields(rows, truth, train, labels)
    return found


def majority(truth: Sequence[int], train: Sequence[int], classes: int) -> Scored:
    """Always the most frequent training label, with the training shares as probabilities."""
    shares = np.bincount(np.asarray(train), minlength=classes) / max(1, len(train))
    decided = np.full(len(truth), int(shares.argmax()))
    return Scored(np.asarray(truth), decided, np.tile(shares, (len(truth), 1)))


def tfidf_logistic(
    rows: Sequence[Row], truth: Sequence[int], train: Sequence[Row] | None, labels: LabelSpace
) -> Scored:
    """TF-IDF over words and word pairs with logistic regression.

    Without training rows it is cross-validated on the evaluated rows themselves. Texts that share no word leave the
    training labels' shares.
    """
    texts = [row.text for row in rows]
    if train is None:
        folds = min(FOLDS, *np.bincount(np.asarray(truth)).tolist())
        if folds < 2:
            return majority(truth, truth, len(labels.classes))
        found = cross_val_predict(_tfidf(), texts, np.asarray(truth), cv=folds, method="predict_proba")
        return _scored(truth, np.asarray(found))
    learned = [labels.index(row.label) for row in train]
    try:
        model = _tfidf().fit([row.text for row in train], learned)
    except ValueError:
        # No two texts share a word.
        return majority(truth, learned, len(labels.classes))
    return _scored(truth, np.asarray(model.predict_proba(texts)))


def numbers_logistic(
    rows: Sequence[Row], truth: Sequence[int], train: Sequence[Row], labels: LabelSpace, levels: NumberLevels
) -> Scored:
    """Logistic regression over the numbers of texts of one template, as in their table, and over the words."""
    numbers = FunctionTransformer(lambda texts: np.array([levels.numbers(text) for text in texts]))
    words = FunctionTransformer(lambda texts: [_DIGITS.sub(" ", text) for text in texts])
    features = make_union(
        make_pipeline(numbers, SimpleImputer(), StandardScaler()),
        make_pipeline(words, HashingVectorizer(ngram_range=(1, 2))),
    )
    model = make_pipeline(features, LogisticRegression(max_iter=1000))
    model.fit([row.text for row in train], [labels.index(row.label) for row in train])
    return _scored(truth, np.asarray(model.predict_proba([row.text for row in rows])))


def boosted_fields(rows: Sequence[Row], truth: Sequence[int], train: Sequence[Row], labels: LabelSpace) -> Scored:
    """Gradient boosting on the transactions' fields, history included."""
    found = boost_on_fields(
        [transaction_of(row) for row in train],
        [labels.index(row.label) == 0 for row in train],
        [transaction_of(row) for row in rows],
        [label == 0 for label in truth],
        history=True,
    )
    return binary(truth, found.scores, 0.5)


def rules(rows: Sequence[Row], truth: Sequence[int]) -> Scored:
    """The points of the company's rules, as the product shows them beside a score."""
    policy = company_policy(None)
    points: list[int] = []
    for row in rows:
        transaction = transaction_of(row)
        points.append(heuristic_score(raise_flags(transaction, policy, derive_features(transaction, policy))))
    return binary(truth, np.array(points) / 100, _RULES_THRESHOLD)


def transaction_of(row: Row) -> Transaction:
    """The transaction that a row's text tells."""
    return Transaction.model_validate(row.attributes["transaction"])


def has_transactions(rows: Sequence[Row]) -> bool:
    """Whether every row carries its transaction."""
    return all(isinstance(row.attributes.get("transaction"), Mapping) for row in rows)


def _tfidf() -> Pipeline:
    options: dict[str, Any] = {"ngram_range": (1, 2), "min_df": 2, "sublinear_tf": True}
    return make_pipeline(TfidfVectorizer(**options), LogisticRegression(C=10, max_iter=1000))


def _scored(truth: Sequence[int], probabilities: Floats) -> Scored:
    return Scored(np.asarray(truth), probabilities.argmax(axis=1), probabilities)
