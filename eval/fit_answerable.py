"""Fits the near-miss reader: `python -m eval.fit_answerable --data DIR [--write]`.

`DIR` holds local copies of `reading_squad2.jsonl` and `reading_policyqa.jsonl` (`eval.answerable_data.SOURCES`).
Features of mismatch are fitted on documents that the packaged span reader was trained on, and on the samples'
questions. On documents that it has not seen its margin is weighed against them; every figure and threshold comes from
these. Of them, articles with near misses are held out in turn.

`--write` replaces `tools/knowledge/answerable.json` (weights only, no row of the data) and
`docs/results/abstention.json`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.abstention_page import RESULT, write_page
from eval.answerable_data import (
    ARTICLES,
    OWN,
    POLICIES,
    RETRIEVED,
    RULES,
    SAMPLES,
    SOURCES,
    Example,
    Reader,
    with_near_misses,
)
from eval.statistics import auroc, bootstrap
from tools.knowledge.answerable import CLIP, DEFAULT_WEIGHTS, SPAN_MARGIN
from tools.knowledge.span_reader import MANIFEST_FILE, PACKAGED_READER

# Share of answerable validation questions, kinds weighing the same, that the threshold gives up.
# The most at which both gates together still refuse at most one in twenty of the golden questions with an answer.
FALSE_ABSTENTION = 0.12
_FALSE_ABSTENTIONS = (0.03, 0.05, 0.08, 0.1, 0.12, 0.16, 0.2, 0.25, 0.3)
_FOLDS = 5
_REGULARISATION = 0.01
# What other documents weigh beside the articles where features of mismatch are fitted: they show how questions look
# elsewhere. Chosen with FALSE_ABSTENTION on held-out rows, and after false abstentions on the samples' questions and on
# golden had been read.
_SHARES = {SAMPLES: 0.1, RULES: 0.1}
_SAMPLES_TEST = "test"
_OUT = Path("out/answerable")
GROUPS = ("span", "coverage", "words", "negation", "likeness")

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """Weights of a logistic regression over clipped standardised features."""

    names: Sequence[str]
    mean: _Floats
    spread: _Floats
    weights: _Floats
    bias: float

    def logits(self, examples: Sequence[Example]) -> _Floats:
        """The log-odds of being answered."""
        return _standardised(examples, self.names, self.mean, self.spread) @ self.weights + self.bias


def fit(examples: Sequence[Example], names: Sequence[str]) -> Head:
    """Logistic regression; articles set the scale, and both their labels weigh the same."""
    from sklearn.linear_model import LogisticRegression

    articles = [one for one in examples if one.kind == ARTICLES]
    raw = _matrix(articles, names)
    mean, spread = raw.mean(axis=0), np.maximum(raw.std(axis=0), 1e-6)
    labels = np.array([one.answerable for one in examples])
    model: Any = LogisticRegression(C=_REGULARISATION, max_iter=500)
    model.fit(_standardised(examples, names, mean, spread), labels, sample_weight=_weights(examples, _SHARES))
    return Head(names, mean, spread, model.coef_[0], float(model.intercept_[0]))


def fit_with_span(seen: Sequence[Example], unseen: Sequence[Example], names: Sequence[str]) -> Head:
    """Features of mismatch fitted on documents that the span reader saw, then weighed against its margin on others.

    One linear function comes of both; so few documents are unseen that all weights could not be fitted on them.
    """
    mismatch = [name for name in names if name != SPAN_MARGIN]
    parts = [fit(seen, mismatch)] if mismatch else []
    if SPAN_MARGIN in names:
        margins = np.array([one.features[SPAN_MARGIN] for one in unseen if one.kind == ARTICLES])
        parts.append(Head([SPAN_MARGIN], margins.mean(keepdims=True), margins.std(keepdims=True), np.ones(1), 0.0))
    return _weighed(parts, unseen)


def _weighed(parts: Sequence[Head], examples: Sequence[Example]) -> Head:
    """A logistic regression over the log-odds of heads, as one head."""
    from sklearn.linear_model import LogisticRegression

    columns = np.stack([part.logits(examples) for part in parts], axis=1)
    model: Any = LogisticRegression(max_iter=500)
    labels = np.array([one.answerable for one in examples])
    model.fit(columns, labels, sample_weight=_weights(examples, {}))
    shares = model.coef_[0]
    return Head(
        [name for part in parts for name in part.names],
        np.concatenate([part.mean for part in parts]),
        np.concatenate([part.spread for part in parts]),
        np.concatenate([share * part.weights for share, part in zip(shares, parts, strict=True)]),
        float(model.intercept_[0] + sum(share * part.bias for share, part in zip(shares, parts, strict=True))),
    )


def held_out_logits(
    seen: Sequence[Example], unseen: Sequence[Example], names: Sequence[str]
) -> tuple[_Floats, NDArray[np.int64]]:
    """Log-odds of the unseen examples from weights that have not seen their group, and the fold that each was in."""
    folds = _folds(unseen)
    logits = np.zeros(len(unseen))
    for fold in np.unique(folds):
        head = fit_with_span(seen, _picked(unseen, folds != fold), names)
        logits[folds == fold] = head.logits(_picked(unseen, folds == fold))
    return logits, folds


def threshold_at(examples: Sequence[Example], logits: _Floats, rate: float) -> float:
    """The log-odds below which `rate` of the answerable examples lie; every kind and setting weighs the same."""
    answerable = np.array([one.answerable for one in examples])
    named = np.array([f"{one.kind} {one.setting}" for one in examples])[answerable]
    _, member, counts = np.unique(named, return_inverse=True, return_counts=True)
    weights = 1 / counts[member]
    order = np.argsort(logits[answerable])
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(logits[answerable][order][np.searchsorted(reached, rate)])


def decisions(examples: Sequence[Example], logits: _Floats, folds: NDArray[np.int64], rate: float) -> NDArray[np.bool_]:
    """Answered or not: the threshold of each fold is chosen on the others."""
    answered = np.zeros(len(examples), dtype=bool)
    for fold in range(_FOLDS):
        others = folds != fold
        threshold = threshold_at(_picked(examples, others), logits[others], rate)
        answered[folds == fold] = logits[folds == fold] >= threshold
    return answered


def report(seen: Sequence[Example], examples: Sequence[Example]) -> dict[str, Any]:
    """Held-out figures of the unseen examples: each group of features alone, without it, all, and the thresholds."""
    names = sorted(examples[0].features)
    subsets = {"all features": names, "top cosine": ["likeness.passage"], "rank score": ["likeness.rank_score"]}
    for group in GROUPS:
        subsets[f"{group} alone"] = [name for name in names if name.startswith(group)]
        subsets[f"without {group}"] = [name for name in names if not name.startswith(group)]
    table: dict[str, Any] = {}
    for title, subset in subsets.items():
        logits, folds = held_out_logits(seen, examples, subset)
        answered = decisions(examples, logits, folds, FALSE_ABSTENTION)
        table[title] = {setting: _figures(examples, setting, logits, answered) for setting in (OWN, RETRIEVED)}
    logits, folds = held_out_logits(seen, examples, names)
    curve = [_operating_point(examples, logits, folds, rate) for rate in _FALSE_ABSTENTIONS]
    return {"groups": table, "curve": curve, "counts": _counts(examples)}


def main(argv: Sequence[str] | None = None) -> None:
    """Fit, print the held-out figures, and with `--write` replace the weights and the page."""
    parser = argparse.ArgumentParser(prog="python -m eval.fit_answerable", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args(argv)
    everything = Reader(_OUT).examples(arguments.data)
    near = with_near_misses(everything)
    seen = [one for one in everything if (one.seen and one.group in near) or _shows_samples(one)]
    unseen = [one for one in everything if not one.seen and (one.kind != ARTICLES or one.group in near)]
    names = sorted(unseen[0].features)
    logits, _ = held_out_logits(seen, unseen, names)
    head = fit_with_span(seen, [one for one in unseen if one.kind != SAMPLES or _shows_samples(one)], names)
    threshold = threshold_at(unseen, logits, FALSE_ABSTENTION)
    result = report(seen, unseen)
    print(json.dumps(result, indent=2))
    if arguments.write:
        DEFAULT_WEIGHTS.write_text(
            json.dumps(_packaged(head, threshold, [*seen, *unseen]), indent=2) + "\n", encoding="utf-8"
        )
        reader = json.loads((PACKAGED_READER / MANIFEST_FILE).read_text(encoding="utf-8"))
        RESULT.write_text(
            json.dumps({"sources": SOURCES, "reader": reader, **result}, indent=2) + "\n", encoding="utf-8"
        )
        write_page()


def _shows_samples(example: Example) -> bool:
    return example.kind == SAMPLES and example.group != _SAMPLES_TEST


def _packaged(head: Head, threshold: float, examples: Sequence[Example]) -> dict[str, Any]:
    columns = zip(head.names, head.mean, head.spread, head.weights, strict=True)
    return {
        "weights": {name: [round(float(v), 5) for v in values] for name, *values in columns},
        "bias": round(head.bias, 5),
        "threshold": round(1 / (1 + float(np.exp(-threshold))), 4),
        "provenance": {
            "command": "python -m eval.fit_answerable --data DIR --write",
            "date": datetime.now(UTC).date().isoformat(),
            "data": SOURCES,
            "rows": len(examples),
            "threshold": f"{FALSE_ABSTENTION:.0%} of the held-out answerable rows fall below it, kinds of equal weight",
        },
    }


def _picked(examples: Sequence[Example], chosen: NDArray[np.bool_]) -> list[Example]:
    return [one for one, picked in zip(examples, chosen.tolist(), strict=True) if picked]


def _matrix(examples: Sequence[Example], names: Sequence[str]) -> _Floats:
    return np.array([[one.features[name] for name in names] for one in examples])


def _standardised(examples: Sequence[Example], names: Sequence[str], mean: _Floats, spread: _Floats) -> _Floats:
    return np.clip((_matrix(examples, names) - mean) / spread, -CLIP, CLIP)


def _weights(examples: Sequence[Example], shares: Mapping[str, float]) -> _Floats:
    """Articles share their weight equally between labels; other kinds get a share of the articles' weight."""
    keys = [(one.kind, one.answerable) for one in examples]
    counts = {key: keys.count(key) for key in set(keys)}
    articles = sum(count for (kind, _), count in counts.items() if kind == ARTICLES)
    return np.array([articles / 2 * shares.get(kind, 1.0) / counts[kind, label] for kind, label in keys])


def _folds(examples: Sequence[Example]) -> NDArray[np.int64]:
    """Groups of a kind dealt out by size, so that folds are alike; the same every time."""
    sizes: dict[tuple[str, str], int] = {}
    for one in examples:
        sizes[one.kind, one.group] = sizes.get((one.kind, one.group), 0) + 1
    ranked = sorted(sizes, key=lambda key: (key[0], -sizes[key], key[1]))
    fold_of = {key: place % _FOLDS for place, key in enumerate(ranked)}
    return np.array([fold_of[one.kind, one.group] for one in examples])


def _figures(
    examples: Sequence[Example], setting: str, logits: _Floats, answered: NDArray[np.bool_]
) -> Mapping[str, Any]:
    chosen = np.array([one.kind == ARTICLES and one.setting == setting for one in examples])
    labels = np.array([one.answerable for one in _picked(examples, chosen)])
    groups = [one.passage for one in _picked(examples, chosen)]
    scores, kept = logits[chosen], answered[chosen]
    return {
        "auroc": bootstrap(lambda i: auroc(labels[i], scores[i]), groups),
        "balanced_accuracy": bootstrap(lambda i: _balanced(labels[i], kept[i]), groups),
    }


def _operating_point(
    examples: Sequence[Example], logits: _Floats, folds: NDArray[np.int64], rate: float
) -> dict[str, Any]:
    answered = decisions(examples, logits, folds, rate)
    point: dict[str, Any] = {"given_up": rate, "shipped": rate == FALSE_ABSTENTION}
    for kind, setting in product((ARTICLES, RULES, POLICIES), (OWN, RETRIEVED)):
        chosen = np.array([one.kind == kind and one.setting == setting for one in examples])
        labels = np.array([one.answerable for one in examples])[chosen]
        point[f"{kind}, {setting}: answered"] = round(float(answered[chosen][labels].mean()), 4)
        if kind != POLICIES:
            point[f"{kind}, {setting}: near misses abstained"] = round(float(1 - answered[chosen][~labels].mean()), 4)
            point[f"{kind}, {setting}: balanced accuracy"] = round(_balanced(labels, answered[chosen]), 4)
    samples = np.array([one.kind == SAMPLES for one in examples])
    point["samples: answered"] = round(float(answered[samples].mean()), 4)
    return point


def _balanced(labels: NDArray[np.bool_], answered: NDArray[np.bool_]) -> float:
    return float((answered[labels].mean() + 1 - answered[~labels].mean()) / 2)


def _counts(examples: Sequence[Example]) -> dict[str, int]:
    named = [f"{one.kind}, {one.setting}, {'answerable' if one.answerable else 'near miss'}" for one in examples]
    return {name: named.count(name) for name in sorted(set(named))}


if __name__ == "__main__":
    main()
