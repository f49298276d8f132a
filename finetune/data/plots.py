"""Pictures of a data set: how long its texts are, and which labels and kinds its splits hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt

from finetune.data.dataset import SPLITS, Splits

_SIZE = (7.0, 3.6)
_DPI = 110


def plot_lengths(lengths: Mapping[str, Sequence[int]], target: Path) -> None:
    """A histogram of tokens a text, one outline per split."""
    figure, axes = _axes("Tokens per text", "tokens", "share of rows")
    for split, counts in lengths.items():
        if not counts:
            continue
        axes.hist(counts, bins=40, density=True, histtype="step", label=split)
    axes.legend()
    _save(figure, target)


def plot_classes(splits: Splits, target: Path) -> None:
    """Rows by split, divided by kind and label where rows have a kind, else by label."""
    figure, axes = _axes("Kinds and labels by split", "", "share of rows")
    counts = {
        split: Counter(f"{example.attributes.get('kind', '')} {example.label}".strip() for example in splits[split])
        for split in SPLITS
    }
    bottom = dict.fromkeys(SPLITS, 0.0)
    for name in sorted({name for found in counts.values() for name in found}):
        heights = [counts[split][name] / max(1, counts[split].total()) for split in SPLITS]
        axes.bar(list(SPLITS), heights, bottom=list(bottom.values()), label=name)
        bottom = {split: edge + height for (split, edge), height in zip(bottom.items(), heights, strict=True)}
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    _save(figure, target)


def _axes(title: str, x: str, y: str) -> tuple[Any, Any]:
    figure, axes = plt.subplots(figsize=_SIZE)
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def _save(figure: Any, target: Path) -> None:
    figure.tight_layout()
    # Without the library's version and the date: the same data give the same file.
    figure.savefig(target, dpi=_DPI, metadata={"Software": None})
    plt.close(figure)
