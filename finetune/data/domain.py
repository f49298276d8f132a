"""The data set of the domain: three worlds with nothing in common, sampled to fixed shares of kinds."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from finetune.data.catalogue import merchant_names
from finetune.data.dataset import SHARES, SPLITS, Example, SplitName, Splits
from finetune.data.duplicates import DuplicateIndex
from finetune.data.render import render, render_for_training, tell_all_ways
from finetune.data.simulate import KINDS, Case, Kind, simulate
from finetune.data.world import build_world
from tools.errors import InputError
from tools.fraud.policy import FraudPolicy

DEFAULT_ROWS = 6000
MIN_ROWS = 600
CORE: dict[Kind, int] = {"clear_fraud": 100, "clear_legitimate": 200, "borderline": 150, "company": 50}
KIND_SHARES: dict[Kind, float] = {"clear_fraud": 0.19, "clear_legitimate": 0.39, "borderline": 0.25, "company": 0.17}
PARAPHRASED_ROWS = 100
_ROWS_PER_CUSTOMER = 5.0
_SPARE_CUSTOMERS = 20
_MERCHANTS_PER_CATEGORY = (40, 12, 12)


@dataclass(frozen=True)
class DomainData:
    """The splits, and how many sampled cases repeated another one and were left out."""

    splits: Splits
    repeated: int


def build_domain(policy: FraudPolicy, rows: int, seed: int) -> DomainData:
    """Simulate, render and select `rows` rows, split 80/10/10 by customer; the same for the same seed.

    Raises InputError for fewer than 600 rows, or where the simulation yields too few of a kind.
    """
    if rows < MIN_ROWS:
        raise InputError(f"A data set needs at least {MIN_ROWS} rows; {rows} were asked for.", rows=rows)
    names = merchant_names(random.Random(f"{seed} names"), _MERCHANTS_PER_CATEGORY)
    seen, repeated, first_customer = DuplicateIndex(), 0, 0
    splits: Splits = {}
    for split, split_names in zip(reversed(SPLITS), reversed(names), strict=True):
        rng = random.Random(f"{seed} {split}")
        size = round(rows * SHARES[split])
        customers = range(first_customer, first_customer + _SPARE_CUSTOMERS + round(size / _ROWS_PER_CUSTOMER))
        first_customer = customers.stop
        world = build_world(rng, customers, split_names, all_wordings=split == "test")
        cases = list(simulate(rng, world, policy))
        rng.shuffle(cases)
        splits[split], left_out = _select(rng, cases, split, size, policy, seen)
        repeated += left_out
    return DomainData({split: splits[split] for split in SPLITS}, repeated)


def _select(
    rng: random.Random, cases: Sequence[Case], split: SplitName, size: int, policy: FraudPolicy, seen: DuplicateIndex
) -> tuple[list[Example], int]:
    """The wanted number of every kind, without rows that repeat one of this or an earlier split."""
    wanted = {kind: round(size * KIND_SHARES[kind]) for kind in KINDS}
    chosen: list[Example] = []
    repeated = paraphrased = 0
    for case in cases:
        if not wanted[case.kind]:
            continue
        identity = f"{split[:2].upper()}-{len(chosen) + 1:05d}"
        served = render(case, identity, policy)
        if seen.find(served.text, 0):
            repeated += 1
            continue
        seen.add(served.text, len(chosen))
        wanted[case.kind] -= 1
        example = render_for_training(rng, case, identity, policy) if split == "train" else served
        if split == "test" and paraphrased < PARAPHRASED_ROWS:
            paraphrased += 1
            example = replace(example, attributes={**example.attributes, "paraphrases": tell_all_ways(case, policy)})
        chosen.append(example)
    if missing := {kind: count for kind, count in wanted.items() if count}:
        raise InputError(f"The simulation yielded too few rows for {split}: {missing}.", split=split, missing=missing)
    rng.shuffle(chosen)  # kinds run out at different times; the file's beginning should look like the rest
    return chosen, repeated


def mark_core(splits: Splits) -> Splits:
    """Mark the curated core of 500 in train: served wording with all facts, in fixed numbers of each kind."""
    wanted = dict(CORE)
    marked: list[Example] = []
    for example in splits["train"]:
        kind: Kind = example.attributes["kind"]
        core = wanted[kind] > 0 and example.attributes["style"] == "served"
        wanted[kind] -= core
        marked.append(replace(example, attributes={**example.attributes, "core": core}))
    return {**splits, "train": marked}
