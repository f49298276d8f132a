"""The forgetting report as a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NAME = "finetune-forgetting"
_MEANING = {
    "knowledge": "general knowledge",
    "language": "grammar and language",
    "reasoning": "reasoning",
    "fraud": "fraud",
    "mixed": "fraud and general knowledge mixed",
    "general": "**the first three**",
    "all": "**all**",
}


def write_page(report: Mapping[str, Any]) -> str:
    """The before and after tables as Markdown."""
    verdict = "within" if report["within_limit"] else "above"
    adapter, everything, off = report["adapter"], report["all"], report["off"]
    lines = [
        "# What the adapter forgets",
        "",
        f"Adapter of the task `{adapter['task']}` (weights `{adapter['sha256'][:12]}`) on {adapter['base']}. "
        f"{report['pairs']} beginnings with a right and a wrong continuation; a pair counts as known when the model "
        "finds the right one more probable, as plain text and as an answer in a chat.",
        "",
        f"**With the adapter on {_loss(everything)} are lost over all pairs, {verdict} the limit of "
        f"{report['limit_points']:g}; with it off {off['loss_points']:.2f}** (largest difference of any "
        f"log-likelihood: {off['largest_difference']:g}).",
        "",
        "| pairs | | before | adapter on | adapter off | loss in points (95%) | lost | gained |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    groups = {**report["kinds"], "general": report["general"], "all": everything}
    lines += [_pairs_row(_MEANING[name], group) for name, group in groups.items()]
    lines += [_pairs_row(f"all, as {name}", group) for name, group in report["forms"].items()]
    lines += ["", "| text | tokens | perplexity before | adapter on | adapter off | change |"]
    lines += ["| --- | ---: | ---: | ---: | ---: | ---: |"]
    lines += [_text_row(name, text) for name, text in report["perplexity"].items()]
    lines += ["", *_examples(report["examples"])]
    lines += [f"Written by `python -m finetune forgetting --adapter DIR`, {report['seconds']:.0f} s."]
    return "\n".join(lines) + "\n"


def publish(report: Mapping[str, Any], docs: Path) -> Path:
    """Write the page and its figures into a documentation folder; returns the page."""
    (docs / "results").mkdir(parents=True, exist_ok=True)
    (docs / "results" / f"{NAME}.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    page = docs / f"{NAME}.md"
    page.write_text(write_page(report), encoding="utf-8")
    return page


def _loss(group: Mapping[str, Any]) -> str:
    low, high = group["interval"]
    return f"{group['loss_points']:.2f} points ({low:.2f} to {high:.2f})"


def _pairs_row(name: str, group: Mapping[str, Any]) -> str:
    states = " | ".join(f"{group[state]:.1%}" for state in ("before", "adapter_on", "adapter_off"))
    loss = _loss(group).replace(" points", "")
    return f"| {name} | {group['pairs']} | {states} | {loss} | {group['lost']} | {group['gained']} |"


def _text_row(name: str, text: Mapping[str, Any]) -> str:
    states = " | ".join(f"{text[state]:.2f}" for state in ("before", "adapter_on", "adapter_off"))
    return f"| {name} | {text['tokens']} | {states} | {text['ratio'] - 1:+.1%} |"


def _examples(examples: list[dict[str, str]]) -> list[str]:
    if not examples:
        return []
    shown = [f"- {pair['prompt']} **{pair['right']}**, now rather: {pair['wrong']}" for pair in examples]
    return ["Known before, less sure with the adapter:", "", *shown, ""]
