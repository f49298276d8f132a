"""Who is ahead, by how much, and where the intervals do not decide: in a table and in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from finetune.evaluation.standing import Standing, standings

METRICS = {"pr_auc": "PR-AUC", "mcc": "MCC"}
_BASE = {"base_model": "zero-shot", "base_few_shot": "with rules and examples"}


def verdict(report: Mapping[str, Any]) -> list[str]:
    """Markdown lines: a sentence for each metric, the differences, and what was not measured."""
    found = standings(report)
    if not found:
        return []
    lines = [*(_sentence(metric, found) for metric in METRICS), "", *_table(found), "", _how(found)]
    if unmeasured := [words for name, words in _BASE.items() if name not in report["baselines"]]:
        lines[-1] += f" The base model without the adapter ({' and '.join(unmeasured)}) was not measured on these rows."
    return [*lines, ""]


def _sentence(metric: str, found: Sequence[Standing]) -> str:
    """All baselines in one sentence: those behind, those ahead, and by the sign those that the interval leaves open."""
    measured = [standing for standing in found if metric in standing.differences]
    behind = [standing for standing in measured if standing.differences[metric]["interval"][0] > 0]
    ahead = [standing for standing in measured if standing.differences[metric]["interval"][1] < 0]
    undecided = [standing for standing in measured if standing not in behind and standing not in ahead]
    trails = [standing for standing in undecided if standing.differences[metric]["difference"] < 0]
    leads = [standing for standing in undecided if standing not in trails]
    parts = [
        f"the adapter is ahead of {_listed(metric, behind)}" if behind else "",
        f"the adapter is behind {_listed(metric, ahead)}" if ahead else "",
        f"it has more than {_listed(metric, leads)}, which the interval does not decide" if leads else "",
        f"it has less than {_listed(metric, trails)}, which the interval does not decide" if trails else "",
    ]
    return f"- **{METRICS[metric]}**: {'; '.join(part for part in parts if part) or 'not measured'}."


def _listed(metric: str, found: Sequence[Standing]) -> str:
    """Names with their differences, the closest first."""
    closest = sorted(found, key=lambda standing: abs(standing.differences[metric]["difference"]))
    return ", ".join(f"{standing.name} ({_signed(standing.differences[metric])})" for standing in closest)


def _table(found: Sequence[Standing]) -> list[str]:
    lines = [
        "| adapter minus | " + " | ".join(METRICS.values()) + " | McNemar p | |",
        "| --- " * (len(METRICS) + 3) + "|",
    ]
    return lines + [
        f"| {standing.name} | "
        + " | ".join(_cell(standing.differences.get(metric)) for metric in METRICS)
        + f" | {_probability(standing.mcnemar_p)} | {'paired' if standing.paired else 'not paired'} |"
        for standing in found
    ]


def _how(found: Sequence[Standing]) -> str:
    bootstrap = "bootstrap over the same rows"
    joined = "put together from the two intervals above, since single rows were not kept: wider, and deciding less"
    kinds = {standing.paired for standing in found}
    how = {
        frozenset({True}): bootstrap,
        frozenset({False}): joined,
        frozenset({True, False}): f"paired ones by {bootstrap}; the others {joined}",
    }[frozenset(kinds)]
    return f"Differences with 95% intervals ({how}). McNemar tests the decisions."


def _cell(difference: Mapping[str, Any] | None) -> str:
    return "" if difference is None else _signed(difference)


def _signed(found: Mapping[str, Any]) -> str:
    low, high = found["interval"]
    return f"{found['difference']:+.3f}, {low:+.3f} to {high:+.3f}"


def _probability(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"
