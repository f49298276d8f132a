"""Splits by group: no customer in two splits, labels in every split as they are in the whole."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence

from finetune.data.dataset import SHARES, SPLITS, Example, Splits
from finetune.errors import RowsError

MIN_ROWS = 30


def split_by_group(examples: Sequence[Example], seed: int) -> Splits:
    """Divide 80/10/10 by group, larger groups first, each to the split that lacks most of what it brings.

    Raises RowsError where there are too few rows or groups for three splits.
    """
    groups: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        groups[example.group].append(example)
    if len(examples) < MIN_ROWS or len(groups) < len(SPLITS):
        raise RowsError(
            f"{len(examples)} rows of {len(groups)} groups are too few for three splits; at least {MIN_ROWS} rows and "
            f"{len(SPLITS)} groups are needed.",
            code="too_few_rows",
        )
    totals = Counter(example.label for example in examples)
    lacking = {split: {label: SHARES[split] * count for label, count in totals.items()} for split in SPLITS}
    splits: Splits = {split: [] for split in SPLITS}
    order = sorted(groups)
    random.Random(seed).shuffle(order)
    for group in sorted(order, key=lambda name: -len(groups[name])):
        brought = Counter(example.label for example in groups[group])
        # Rare labels weigh as much as frequent ones.
        chosen = max(
            SPLITS,
            key=lambda split: sum(
                min(lacking[split][label], count) / totals[label] / SHARES[split] ** 0.5
                for label, count in brought.items()
            ),
        )
        splits[chosen] += groups[group]
        for label, count in brought.items():
            lacking[chosen][label] -= count
    for rows in splits.values():
        rows.sort(key=lambda example: example.number)
    return splits
