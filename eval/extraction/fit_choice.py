"""Fit from when on chat chooses a schema: `python -m eval.extraction.fit_choice --receipts FILE --articles FILE ...`.

Only documents to develop on are read: the training side, the receipts and articles of that half.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import yaml

import tools.extraction
from eval.extraction.choice import Case, cases
from tools.extraction.choose import THRESHOLDS_FILE, Thresholds
from tools.extraction.kinds import affinity

_DOCUMENTS, _SEED = 500, 1
_ENOUGH = (2.5, 3.0, 3.5, 4.0, 4.5, 5.0)
_LEADS = (0.5, 1.0, 1.5, 2.0)
_WRONG_COSTS = 10.0
"""A wrong schema costs as much as asking back ten times too often: it looks like an answer."""
_HEAD = "# From when on a text is of a kind. Written by eval.extraction.fit_choice; do not edit.\n"


def fit(documents: Sequence[Case]) -> Thresholds:
    """The thresholds of least cost, each corpus weighing the same; of equals the strictest."""
    looks = [affinity(one.text) for one in documents]
    sizes = {one.corpus: sum(other.corpus == one.corpus for other in documents) for one in documents}

    def cost(candidate: Thresholds) -> float:
        total = 0.0
        for case, seen in zip(documents, looks, strict=True):
            found = candidate.winner(seen)
            if found != case.kind:
                total += (1.0 if found is None else _WRONG_COSTS) / sizes[case.corpus]
        return total

    grid = [Thresholds(enough, lead) for enough in _ENOUGH for lead in _LEADS]
    return min(grid, key=lambda one: (cost(one), -one.enough, -one.lead))


def main() -> None:
    """Fit and write the thresholds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--receipts", type=Path, required=True, help="JSONL file of labelled receipts")
    parser.add_argument("--articles", type=Path, nargs="+", required=True, help="JSONL files of reading passages")
    told = parser.parse_args()
    found = fit(list(cases("develop", _DOCUMENTS, _SEED, told.receipts, told.articles)))
    path = Path(tools.extraction.__path__[0]) / THRESHOLDS_FILE
    path.write_text(_HEAD + yaml.safe_dump(found._asdict(), sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main()
