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
    parts = [*_reader(result["reader"]), *_groups(result), *_curve(result)]
    return "\n".join([_INTRODUCTION.strip(), "", *parts, "", f"Data: {sources}.", "", f"Rows: {counts}.", ""])


_INTRODUCTION = """
# When Switchyard does not answer

Written by `python -m eval.abstention_page` from `docs/results/abstention.json`; do not edit.

Two gates stand before an answer. The evidence gate (`tools/knowledge/evidence.py`) turns away questions that the
documents are not about. The near-miss reader (`tools/knowledge/answerable.py`) turns away questions that they are about
but do not answer. It is a logistic regression over what a trained model finds in the passages of the best sentences
(the span reader, `tools/knowledge/span_reader.py`) and over words of the question that the sentences do not carry:
names, years, negations. It knows no subject.

The span reader is the embedding model with an adapter and a head for the first and the last token of an answer; its
margin is how far the best answer is ahead of "no answer here". The sidecar trains it on questions over passages, on
people's near misses, and on unanswerable questions made of answered ones: with the likest other passage of the
document, or with another name, number or opposite in the question. Whole documents are held out.

```bash
python -m finetune reader --rows reading_squad2.jsonl --rows reading_policyqa.jsonl --out packaged_reader
python -m eval.fit_answerable --data FOLDER_OF_THESE_FILES --write
```

A row is `{"title", "passage", "question", "answerable", "answers"}`, its answers verbatim in the passage. The folder
takes the place of `tools/knowledge/packaged_reader`; the second command sets the threshold anew, on the documents that
were held out.

"Rules" are documents of our own (`finetune/reader/written`): rule books, manuals and terms with questions as staff and
customers put them, and near misses. A reader trained on the articles and policies alone was worse than chance
on the held-out ones of them, since it took their near misses' familiar words for answers. Author and style are the same
on both sides, so strangers' rules will fare worse than these.

What was tried and left out: opposites, disagreeing numbers and disagreeing names as features (they find more of these
near misses, but turned away honest questions over the samples, such as one about an annual charge for a debit card);
the expected type of answer and WordNet's opposites (hardly any gain). Which features and which threshold ship was
decided after reading this page's figures and the mistakes on the samples' and on golden questions, so the golden
questions say little about them and the figures below are a little too good.
"""


def _reader(manifest: dict[str, Any]) -> list[str]:
    rows = [
        f"| {documents} | {one['rows']} | {one['f1']:.3f} | {one['exact']:.3f} | "
        f"{'' if one['auroc'] is None else format(one['auroc'], '.3f')} |"
        for documents, one in manifest["measured"].items()
    ]
    return [
        "## The span reader alone",
        "",
        f"`{manifest['version']}`, trained on {manifest['examples']} examples in {manifest['seconds']} s. Each",
        "question with its own passage; F1 and exact matches over answerable ones, AUROC of the margin.",
        "",
        "| documents not trained on | questions | F1 | exact | AUROC |",
        "| --- | --- | --- | --- | --- |",
        *rows,
        "",
    ]


def _groups(result: dict[str, Any]) -> list[str]:
    settings = list(next(iter(result["groups"].values())))
    lines = [
        "## What each group of features adds",
        "",
        "Articles that the span reader has not seen, held out in turn from the regression; answerable questions",
        "against near misses; 95% intervals over passages. Balanced accuracy is at the shipped risk.",
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
