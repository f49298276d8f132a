"""The samples' issuer, read with its own blacklist and codes."""

from __future__ import annotations

import json
from pathlib import Path

from sklearn.metrics import roc_auc_score

from tools.fraud import assess, load_policy, read_transaction

SAMPLES = Path(__file__).parents[3] / "samples"


def test_the_sample_transactions_are_understood_and_the_flags_rank_fraud_first() -> None:
    policy = load_policy(SAMPLES / "blacklist.csv", SAMPLES / "transaction_codes.csv")
    lines = (SAMPLES / "transactions" / "transactions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assessments = [assess(read_transaction(row), policy) for row in rows]
    assert len(rows) >= 200
    assert all(not assessment.transaction.details for assessment in assessments)
    fraud = [row["label"] == "FRAUD" for row in rows]
    assert roc_auc_score(fraud, [assessment.heuristic for assessment in assessments]) >= 0.9
