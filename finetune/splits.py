"""Which rows train, which stop the training, which calibrate: groups stay together, classes keep their shares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from finetune.rows import Row

GROUP_COLUMNS = ("group", "customer")


def hold_out(rows: Sequence[Row], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """Split into (kept, held out). A group (column `group` or `customer`) lies wholly on one side.

    Stratified by label: groups are dealt out per label of their rarest row.
    """
    rarity = _counts(rows)
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[_group(row)].append(row)
    strata: dict[str, list[str]] = defaultdict(list)
    for name, members in groups.items():
        strata[min((row.label for row in members), key=lambda label: rarity[label])].append(name)
    random = np.random.default_rng(seed)
    held: set[str] = set()
    for names in strata.values():
        wanted = share * sum(len(groups[name]) for name in names)
        for name in random.permutation(sorted(names)):
            if wanted < len(groups[str(name)]) / 2:
                break
            held.add(str(name))
            wanted -= len(groups[str(name)])
    kept = [row for row in rows if _group(row) not in held]
    return kept, [row for row in rows if _group(row) in held]


def _group(row: Row) -> str:
    for column in GROUP_COLUMNS:
        if value := row.attributes.get(column):
            return f"{column} {value}"
    return f"row {row.number}"


def _counts(rows: Sequence[Row]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        counts[row.label] += 1
    return counts
