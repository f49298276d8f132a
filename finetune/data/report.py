"""What a prepared data set holds: counts, lengths, gates, and the hashes of its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from finetune.data.dataset import SPLITS, Example, Splits
from finetune.data.difficulty import boost_on_fields
from tools.fraud.prompt import FRAUD
from tools.fraud.transaction import Transaction

_LISTED = ("kind", "scenario", "band", "style")


def describe(splits: Splits) -> dict[str, Any]:
    """Counts per split: rows, customers, labels, and the values of kind, scenario, band and style."""
    return {split: _describe(splits[split]) for split in SPLITS}


def describe_lengths(lengths: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Tokens a text: mean and quantiles per split."""
    return {
        split: {
            "mean": round(float(np.mean(counts)), 1),
            "p50": int(np.percentile(counts, 50)),
            "p95": int(np.percentile(counts, 95)),
            "max": int(max(counts)),
        }
        for split, counts in lengths.items()
        if counts
    }


def measure_difficulty(splits: Splits) -> dict[str, Any] | None:
    """What gradient boosting makes of the fields, learned on train and measured on test; None without transactions."""
    train, test = ([e for e in splits[split] if "transaction" in e.attributes] for split in ("train", "test"))
    if len({e.label for e in train}) < 2 or len({e.label for e in test}) < 2:
        return None  # plain texts, or a split without fraud, which a gate refuses
    found: dict[str, Any] = {}
    for name, history in (("raw_fields", False), ("raw_fields_and_history", True)):
        score = boost_on_fields(
            _transactions(train), _frauds(train), _transactions(test), _frauds(test), history=history
        )
        found[name] = {"pr_auc": round(score.pr_auc, 4), "roc_auc": round(score.roc_auc, 4)}
    return found


def _transactions(examples: Sequence[Example]) -> list[Transaction]:
    return [Transaction.model_validate(example.attributes["transaction"]) for example in examples]


def _frauds(examples: Sequence[Example]) -> list[bool]:
    return [example.label == FRAUD for example in examples]


def _describe(examples: Sequence[Example]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "rows": len(examples),
        "customers": len({example.group for example in examples}),
        "labels": _count([example.label for example in examples]),
    }
    for name in _LISTED:
        values = [str(example.attributes[name]) for example in examples if name in example.attributes]
        if values:
            found[name] = _count(values)
    if core := [example for example in examples if example.attributes.get("core")]:
        found["core"] = _count([str(example.attributes["kind"]) for example in core])
    if told := sum("paraphrases" in example.attributes for example in examples):
        found["rows_with_paraphrases"] = told
    return found


def _count(values: Sequence[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
