"""Before and after: accuracy on pairs by kind, with intervals, and perplexity by text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finetune.evaluation.metrics import RESAMPLES, bounds
from finetune.forgetting.measure import STATES, Likelihoods, Lines
from finetune.forgetting.pairs import GENERAL, KINDS, Pair

_EXAMPLES = 10
Scored = Mapping[str, Likelihoods]


def summarise(pairs: Sequence[Pair], lines: Lines, scored: Scored, limit: float) -> dict[str, Any]:
    """Figures of the report: `kinds`, `general` and `all` (see `compare_pairs`), `forms`, `perplexity`, `off`.

    `within_limit`: the mean loss over all pairs is at most `limit` percentage points.
    """
    kinds = np.array([pair.kind for pair in pairs])
    everything = np.ones(len(pairs), dtype=bool)
    forms = range(len(lines.forms))
    overall = compare_pairs(scored, everything)
    return {
        "pairs": len(pairs),
        "kinds": {kind: compare_pairs(scored, kinds == kind) for kind in KINDS if (kinds == kind).any()},
        "general": compare_pairs(scored, np.isin(kinds, GENERAL)),
        "all": overall,
        "forms": {name: compare_pairs(scored, everything, [at]) for name, at in zip(lines.forms, forms, strict=True)},
        "perplexity": {name: _perplexity(name, lines, scored) for name in lines.texts},
        "off": {
            "largest_difference": scored["before"].largest_difference(scored["adapter_off"]),
            "loss_points": overall["off_loss_points"],
        },
        "limit_points": limit,
        "within_limit": overall["loss_points"] <= limit,
        "examples": _lost(pairs, scored),
    }


def compare_pairs(
    scored: Scored, chosen: NDArray[np.bool_], forms: Sequence[int] | slice = slice(None)
) -> dict[str, Any]:
    """Accuracy of each state over some pairs, the mean over the forms; the loss in percentage points.

    `interval` is the loss's 95% percentile bootstrap interval over pairs; `lost` and `gained` count pairs and forms
    whose decision changed; `margin_change` is the mean change of the right continuation's lead (natural logarithm).
    """
    correct = {state: scored[state].correct[forms][:, chosen] for state in STATES}
    before, after, off = (correct[state] for state in STATES)
    lost = (before.astype(float) - after).mean(axis=0)
    margins = scored["adapter_on"].margins - scored["before"].margins
    return {
        "pairs": int(chosen.sum()),
        **{state: float(found.mean()) for state, found in correct.items()},
        "loss_points": float(100 * lost.mean()),
        "interval": _interval(100 * lost),
        "off_loss_points": float(100 * (before.astype(float) - off).mean()),
        "lost": int((before & ~after).sum()),
        "gained": int((~before & after).sum()),
        "margin_change": float(margins[forms][:, chosen].mean()),
    }


def _interval(losses: NDArray[np.float64]) -> list[float]:
    random = np.random.default_rng(0)
    drawn = random.integers(0, len(losses), (RESAMPLES, len(losses)))
    return bounds(losses[drawn].mean(axis=1).tolist())


def _perplexity(name: str, lines: Lines, scored: Scored) -> dict[str, Any]:
    tokens = sum(line.counted for line in lines.texts[name])
    found = {state: math.exp(-float(scored[state].texts[name].sum()) / tokens) for state in STATES}
    return {"tokens": tokens, **found, "ratio": found["adapter_on"] / found["before"]}


def _lost(pairs: Sequence[Pair], scored: Scored) -> list[dict[str, str]]:
    """Some pairs that the base gets right in every form and the adapter in fewer."""
    before, after = (scored[state].correct.all(axis=0) for state in ("before", "adapter_on"))
    lost = [pairs[int(at)] for at in np.flatnonzero(before & ~after)]
    return [
        {"kind": pair.kind, "prompt": pair.prompt, "right": pair.right.strip(), "wrong": pair.wrong.strip()}
        for pair in lost[:_EXAMPLES]
    ]
