"""Fit what a reader's score is worth: `python -m eval.extraction.fit_confidence --receipts FILE`.

Documents of the training side and receipts to develop on count half each; neither is measured anywhere else.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import yaml
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

import tools.extraction
from eval.extraction.documents import LabelledDocument
from eval.extraction.generator import generate
from eval.extraction.receipts import read_receipts
from eval.extraction.study import judge
from eval.extraction.systems import Extractor, NoModel
from tools.extraction.confidence import CURVE_FILE, score_of

_DOCUMENTS, _SEED = 1500, 31
_SCORES = (0.0, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
_SMOOTH = 0.05
# A curve that rises everywhere can be read backwards.
_LEAST_RISE = 0.001
_HIGHEST = 0.995
_HEAD = "# Score of a reader -> share of right values. Written by eval.extraction.fit_confidence; do not edit.\n"
Pairs = tuple[NDArray[np.float64], NDArray[np.float64]]


def fit(samples: Sequence[Pairs]) -> list[list[float]]:
    """Points (score, share that is right) from samples of (scores, right), each sample weighing the same."""
    scores = np.concatenate([scores for scores, _ in samples])
    right = np.concatenate([right for _, right in samples])
    weights = np.concatenate([np.full(len(scores), 1 / len(scores)) for scores, _ in samples])
    isotonic = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(scores, right, weights)
    points = [[0.0, 0.0]]
    for score in _SCORES[1:]:
        around = np.linspace(score - _SMOOTH, score + _SMOOTH, 21)
        share = min(_HIGHEST, float(np.mean(cast("NDArray[np.float64]", isotonic.predict(around)))))
        points.append([score, round(max(share, points[-1][1] + _LEAST_RISE), 4)])
    return points


async def scored(documents: Sequence[LabelledDocument]) -> Pairs:
    """The readers' scores of the values that they gave, and whether each is right."""
    judged = await judge(Extractor("readers", NoModel()), documents, lambda what, done, total: None)
    pairs = [
        (score_of(confidence), float(one.counts[path].right == 1))
        for one in judged
        for path, confidence in one.reading.confidence.items()
        if path in one.counts
    ]
    table = np.array(pairs)
    return table[:, 0], table[:, 1]


def main() -> None:
    """Fit and write the curve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--receipts", type=Path, required=True, help="JSONL file of labelled receipts")
    receipts = list(read_receipts(parser.parse_args().receipts, "develop"))
    generated = list(generate("train", _DOCUMENTS, _SEED))
    points = fit([asyncio.run(scored(documents)) for documents in (generated, receipts)])
    path = Path(tools.extraction.__path__[0]) / CURVE_FILE
    path.write_text(_HEAD + yaml.safe_dump({"points": points}, default_flow_style=None), encoding="utf-8")


if __name__ == "__main__":
    main()
