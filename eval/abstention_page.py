"""Writes `docs/abstention.md` from `docs/results/abstention.json`: `python -m eval.abstention_page`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_DOCS = Path(__file__).parents[1] / "docs"
RESULT = _DOCS / "results" / "abstention.json"
PAGE = _DOCS / "abstention.md"


def write_page() -> None:
    """Write the page anew."""
    PAGE.write_text(page(json.loads(RESULT.read_text(encoding="utf-8"))), encoding="utf-8")


def page(result: dict[str, Any]) -> str:
    """The page as Markdown."""
    sources = "; ".join(f"`{name}`: {source}" for name, source in result["sources"].items())
    counts = "; ".join(f"{name}: {count}" for name, count in result["counts"].items())
    return "\n".join(
        [*_INTRODUCTION, *_groups(result), *_curve(result), "", f"Data: {sources}.", "", f"Rows: {counts}.", ""]
    )


_INTRODUCTION = [
    "# When Switchyard does not answer",
    "",
    "Written by `python -m eval.abstention_page` from `docs/results/abstention.json`; do not edit.",
    "",
    "Two gates stand before an answer. The evidence gate (`tools/knowledge/evidence.py`) turns away questions that",
    "the documents are not about. The near-miss reader (`tools/knowledge/answerable.py`) looks at the best sentences",
    "and turns away questions that they are about but do not answer, because a name, a year or a negation does",
    "not fit. It is a logistic regression over features of the question against those sentences, uses",
    "the word vectors which the ranking has computed anyway, and knows no subject.",
    "",
    "It is a weak reader: people wrote these near misses to mislead, and the reader understands no sentence. The",
    "figures say how far it goes. `python -m eval.fit_answerable --data DIR --write` fits and measures it.",
    "",
    "What was tried and left out: opposites and disagreeing numbers (they find more of these near misses, but turned",
    "away honest questions over the samples, such as one about an annual charge for a debit card); the expected type",
    "of answer and WordNet's opposites (hardly any gain); near misses made by removing the answering passage (hardly",
    "told apart on policies). Which features ship was decided after reading",
    "the reader's mistakes on the samples' and on golden questions, so those two say little about it.",
    "",
]


def _groups(result: dict[str, Any]) -> list[str]:
    settings = list(next(iter(result["groups"].values())))
    lines = [
        "## What each group of features adds",
        "",
        "Articles held out in turn, answerable questions against near misses; 95% intervals over articles. Balanced",
        "accuracy is at the shipped risk, which is set for few false abstentions and not for this figure.",
        "",
        "| features | " + " | ".join(f"{s}: AUROC | {s}: balanced accuracy" for s in settings) + " |",
        "| --- |" + " --- | --- |" * len(settings),
    ]
    for name, figures in result["groups"].items():
        cells = [_interval(figures[s][figure]) for s in settings for figure in ("auroc", "balanced_accuracy")]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _curve(result: dict[str, Any]) -> list[str]:
    names = [name for name in result["curve"][0] if name not in ("given_up", "shipped")]
    lines = [
        "## Risk against coverage",
        "",
        "The threshold gives up a share of the answerable questions, kinds of document weighing the same; it is chosen",
        "on folds other than those measured. **Bold** is what ships.",
        "",
        "| given up | " + " | ".join(names) + " |",
        "| --- |" + " --- |" * len(names),
    ]
    for point in result["curve"]:
        cells = [f"{point['given_up']:.0%}", *(f"{point[name]:.3f}" for name in names)]
        lines.append("| " + " | ".join(f"**{cell}**" if point["shipped"] else cell for cell in cells) + " |")
    return lines


def _interval(figure: dict[str, float]) -> str:
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


if __name__ == "__main__":
    write_page()
