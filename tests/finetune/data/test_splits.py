from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.data.dataset import SPLITS, Example
from finetune.data.splits import split_by_group
from finetune.errors import RowsError

_groups = st.lists(st.integers(1, 9), min_size=12, max_size=60).filter(lambda sizes: sum(sizes) >= 30)


def examples(sizes: list[int], every: int = 4) -> list[Example]:
    rows = [group for group, size in enumerate(sizes) for _ in range(size)]
    return [
        Example(f"r{number}", f"text {number}", "1" if number % every == 0 else "0", f"g{group}", number)
        for number, group in enumerate(rows)
    ]


@given(_groups, st.integers(0, 5))
def test_every_row_lands_in_one_split_and_no_group_in_two(sizes: list[int], seed: int) -> None:
    rows = examples(sizes)
    splits = split_by_group(rows, seed)
    assert sorted(e.number for split in SPLITS for e in splits[split]) == [e.number for e in rows]
    groups = [{e.group for e in splits[split]} for split in SPLITS]
    assert sum(map(len, groups)) == len(set().union(*groups))
    assert splits == split_by_group(rows, seed)


def test_rare_labels_are_spread_alike() -> None:
    splits = split_by_group(examples([1] * 4000, every=20), seed=1)
    for split, share in zip(SPLITS, (0.8, 0.1, 0.1), strict=True):
        counts = Counter(example.label for example in splits[split])
        assert len(splits[split]) == pytest.approx(4000 * share, rel=0.03)
        assert counts["1"] == pytest.approx(200 * share, rel=0.1)


def test_too_few_groups_are_refused() -> None:
    with pytest.raises(RowsError, match="too few") as failure:
        split_by_group(examples([20, 20]), seed=1)
    assert failure.value.code == "too_few_rows"
