from __future__ import annotations

import random

import pytest

from finetune.data.difficulty import boost_on_fields
from tools.fraud import Transaction


def row(rng: random.Random, fraud: bool) -> Transaction:
    """Fraud shows in the count of the last hour only; age of the card and country are never known."""
    count = rng.randrange(5, 9) if fraud else rng.randrange(1, 4)
    return Transaction(amount=rng.uniform(5, 90), channel="pos", count_1h=count)


def test_history_is_used_only_where_asked_for_and_empty_fields_do_no_harm() -> None:
    rng = random.Random(1)
    labels = [rng.random() < 0.4 for _ in range(400)]
    rows = [row(rng, fraud) for fraud in labels]
    blind = boost_on_fields(rows[:300], labels[:300], rows[300:], labels[300:], history=False)
    seeing = boost_on_fields(rows[:300], labels[:300], rows[300:], labels[300:], history=True)
    assert seeing.pr_auc == pytest.approx(1.0)
    assert blind.roc_auc < 0.7
    assert len(blind.scores) == 100
