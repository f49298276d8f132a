"""What every data set must pass before anything is trained on it. A gate that fails names what failed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from finetune.data.dataset import SPLITS, Example, SplitName, Splits
from finetune.data.duplicates import Duplicate, find_duplicates
from tools.pii import mask_personal_data

MAX_RATE_GAP = 0.10
MAX_NEAR_SHARE = 0.10


class Find(Protocol):
    """How repeated texts are found, within `texts` and against `known`."""

    def __call__(self, texts: Sequence[str], known: Sequence[str] = ()) -> list[Duplicate]:
        """The texts that repeat an earlier one."""
        ...


@dataclass(frozen=True)
class Gate:
    """One check of the finished splits."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Cleaned:
    """Splits after cleaning, and what was removed or replaced."""

    splits: Splits
    report: dict[str, Any]


def clean(splits: Splits) -> Cleaned:
    """Mask personal data, remove duplicates within each split, then what training shares with test or validation.

    Of repeated rows the first stays. Rows with the same text and different labels are counted as conflicts. Where near
    duplicates are more than a tenth of all rows, the texts were made from a template: then only exact ones are removed.
    """
    personal: Counter[str] = Counter()
    rows_with_personal: list[int] = []
    masked: Splits = {}
    for split in SPLITS:
        masked[split] = [_mask(example, personal, rows_with_personal) for example in splits[split]]
    conflicts = _conflicts([example for split in SPLITS for example in masked[split]])
    find = _finder([example.text for split in SPLITS for example in masked[split]])
    removed: dict[str, dict[str, int]] = {}
    for split in SPLITS:
        masked[split], removed[split] = _without_repeats(masked[split], find)
    held_out = [example.text for split in ("test", "validation") for example in masked[split]]
    masked["train"], contaminated = _without_shared(masked["train"], held_out, find)
    masked["validation"], shared = _without_shared(masked["validation"], [e.text for e in masked["test"]], find)
    report = {
        "personal_data": {"found": dict(personal), "rows": rows_with_personal[:100], "replaced": True},
        "duplicates_removed": removed,
        "conflicting_labels": conflicts,
        "near_duplicates_kept": find is _find_exact,
        "decontamination_removed": {"train": contaminated, "validation": shared},
    }
    return Cleaned(masked, report)


def check(splits: Splits) -> list[Gate]:
    """The gates of every data set."""
    return [_filled(splits), _both_labels(splits), _groups_disjoint(splits), _rates_alike(splits), _unique_ids(splits),
            _nothing_shared(splits)]  # fmt: skip


def _mask(example: Example, personal: Counter[str], rows: list[int]) -> Example:
    masked = mask_personal_data(example.text)
    if not masked.found:
        return example
    personal.update(masked.found)
    rows.append(example.number)
    return replace(example, text=masked.text)


def _conflicts(examples: Sequence[Example]) -> int:
    labels: defaultdict[str, set[str]] = defaultdict(set)
    for example in examples:
        labels[" ".join(example.text.casefold().split())].add(example.label)
    return sum(len(found) > 1 for found in labels.values())


def _finder(texts: Sequence[str]) -> Find:
    near = sum(not duplicate.exact for duplicate in find_duplicates(texts))
    return _find_exact if near > MAX_NEAR_SHARE * len(texts) else find_duplicates


def _find_exact(texts: Sequence[str], known: Sequence[str] = ()) -> list[Duplicate]:
    return [duplicate for duplicate in find_duplicates(texts, known) if duplicate.exact]


def _without_shared(examples: Sequence[Example], held_out: Sequence[str], find: Find) -> tuple[list[Example], int]:
    shared = {duplicate.index for duplicate in find([example.text for example in examples], held_out)}
    return [example for at, example in enumerate(examples) if at not in shared], len(shared)


def _without_repeats(examples: Sequence[Example], find: Find) -> tuple[list[Example], dict[str, int]]:
    repeats = {duplicate.index: duplicate for duplicate in find([example.text for example in examples])}
    exact = sum(duplicate.exact for duplicate in repeats.values())
    kept = [example for at, example in enumerate(examples) if at not in repeats]
    return kept, {"exact": exact, "near": len(repeats) - exact}


def _filled(splits: Splits) -> Gate:
    sizes = {split: len(splits[split]) for split in SPLITS}
    return Gate("every split has rows", all(sizes.values()), str(sizes))


def _both_labels(splits: Splits) -> Gate:
    everywhere = {example.label for split in SPLITS for example in splits[split]}
    lacking = [f"{split} lacks {label}" for split, label in _absent(splits, everywhere)]
    return Gate("every split has every label", not lacking, "; ".join(lacking) or f"{len(everywhere)} labels")


def _absent(splits: Splits, labels: set[str]) -> list[tuple[SplitName, str]]:
    found = {split: {example.label for example in splits[split]} for split in SPLITS}
    return [(split, label) for split in SPLITS for label in sorted(labels - found[split])]


def _groups_disjoint(splits: Splits) -> Gate:
    shared = _shared(splits, lambda example: example.group)
    return Gate("no customer in two splits", not shared, f"shared: {shared[:5]}" if shared else "none shared")


def _nothing_shared(splits: Splits) -> Gate:
    shared = _shared(splits, lambda example: " ".join(example.text.casefold().split()))
    return Gate("no text in two splits", not shared, f"{len(shared)} shared")


def _unique_ids(splits: Splits) -> Gate:
    counts = Counter(example.id for split in SPLITS for example in splits[split])
    repeated = [identity for identity, count in counts.items() if count > 1]
    return Gate("ids are unique", not repeated, f"repeated: {repeated[:5]}" if repeated else f"{len(counts)} ids")


def _rates_alike(splits: Splits) -> Gate:
    """Stratified: no label is more than ten points rarer or more frequent in a split than in the whole."""
    rows = [example for split in SPLITS for example in splits[split]]
    whole = _rates(rows)
    gap = max(
        (abs(_rates(splits[split]).get(label, 0.0) - rate) for split in SPLITS for label, rate in whole.items()),
        default=0.0,
    )
    return Gate("labels are spread alike", gap <= MAX_RATE_GAP, f"largest difference {gap:.3f}")


def _rates(examples: Sequence[Example]) -> Mapping[str, float]:
    counts = Counter(example.label for example in examples)
    return {label: count / max(1, len(examples)) for label, count in counts.items()}


def _shared(splits: Splits, key: Callable[[Example], str]) -> list[str]:
    homes: defaultdict[str, set[str]] = defaultdict(set)
    for split in SPLITS:
        for example in splits[split]:
            homes[key(example)].add(split)
    return sorted(value for value, found in homes.items() if len(found) > 1)
