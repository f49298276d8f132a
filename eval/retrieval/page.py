"""`docs/retrieval.md` and its picture, from a stored result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.charts import pyplot
from eval.retrieval.measure import MEASURES
from eval.retrieval.study import MODES

_COLOURS = {"dense": "#8fb3d9", "sparse": "#b9bfc6", "hybrid": "#1f5fa8", "hybrid+rerank": "#12355b"}
_HEAD = """# How well passages are found

Written by `switchyard eval retrieval` from `{source}`; do not edit.

Each corpus is indexed with each chunking strategy and asked its questions in each search mode: by meaning (`dense`,
MiniLM), by words (`sparse`, BM25), by both fused (`hybrid`, what answers are made from), and with those ordered again
by their best sentence (`hybrid+rerank`). A passage counts where it holds the answer. Intervals of 95% are over
questions.

![nDCG@10 by corpus, chunking and mode]({picture})

"""
_FOOT = """
**cut in two**: questions whose answer no chunk holds as a whole; they count as not found.

Whole articles are one document each, so that a chunking strategy has something to cut; a chunk counts where it holds
the answer with the words about it. `articles` is a part of SQuAD 2.0 (CC BY-SA 4.0), `policies` a sample of PolicyQA
(MIT); their rows are not in this repository.
"""

Row = Mapping[str, Any]


def retrieval_page(rows: Sequence[Row], *, source: str, picture: str) -> str:
    """The page as Markdown."""
    parts = [_HEAD.format(source=source, picture=picture)]
    for corpus in dict.fromkeys(row["corpus"] for row in rows):
        chosen = [row for row in rows if row["corpus"] == corpus]
        first = chosen[0]
        parts.append(f"## {corpus}\n\n{first['documents']} documents, {first['questions']} questions.\n\n")
        parts.append(_table(chosen) + "\n" + _against_legs(chosen) + "\n")
    return "".join([*parts, _FOOT])


def table_rows(rows: Sequence[Row], interval: Callable[[Mapping[str, float]], str]) -> list[list[str]]:
    """A row of text for each row of results: chunking, chunks, cut in two, mode, and each measure by `interval`."""
    return [
        [row["chunking"], str(row["chunks"]), str(row["cut_in_two"]), row["mode"]]
        + [interval(row[name]) for name in MEASURES]
        for row in rows
    ]


def whole(measure: Mapping[str, float]) -> str:
    """A value with the ends of its interval."""
    return f"{measure['value']:.3f} ({measure['low']:.3f} to {measure['high']:.3f})"


def short(measure: Mapping[str, float]) -> str:
    """A value with half the width of its interval."""
    return f"{measure['value']:.3f} ±{(measure['high'] - measure['low']) / 2:.2f}"


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw nDCG@10 of every mode, a group of bars for each corpus and chunking strategy; write a PNG to `path`.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    plot = pyplot()
    groups = list(dict.fromkeys((row["corpus"], row["chunking"]) for row in rows))
    figure, axes = plot.subplots(figsize=(9, 0.62 * len(groups) + 1.4), layout="constrained")
    for place, mode in enumerate(MODES):
        values = [_of(rows, group, mode)["ndcg@10"] for group in groups]
        spread = [[v["value"] - v["low"] for v in values], [v["high"] - v["value"] for v in values]]
        heights = [row + 0.3 - 0.2 * place for row in range(len(groups))]
        axes.barh(heights, [v["value"] for v in values], 0.18, xerr=spread, color=_COLOURS[mode], error_kw={"lw": 0.8})
    axes.set_yticks(range(len(groups)), [f"{corpus}\n{chunking}" for corpus, chunking in groups], fontsize=8)
    axes.set_xlim(0, 1.02)
    axes.set_xlabel("nDCG@10")
    axes.spines[["top", "right"]].set_visible(False)
    handles = [plot.Rectangle((0, 0), 1, 1, color=_COLOURS[mode]) for mode in MODES]
    figure.legend(handles, MODES, loc="outside upper center", ncols=len(MODES), frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without a date inside, the same figures give the same bytes.
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plot.close(figure)


def _table(rows: Sequence[Row]) -> str:
    head = ["chunking", "chunks", "cut in two", "mode", *MEASURES]
    lines = [head, ["---"] * len(head), *table_rows(rows, whole)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _against_legs(rows: Sequence[Row]) -> str:
    """What fusing brings over each leg, in the strategy that is the default."""
    of = {row["mode"]: row["ndcg@10"]["value"] for row in rows if row["chunking"] == rows[0]["chunking"]}
    gains = [f"{of['hybrid'] / of[leg] - 1:+.1%} over {leg}" for leg in ("sparse", "dense") if of[leg]]
    return f"\nHybrid, {rows[0]['chunking']} chunks, nDCG@10: {', '.join(gains)}.\n"


def _of(rows: Sequence[Row], group: tuple[str, str], mode: str) -> Row:
    return next(row for row in rows if (row["corpus"], row["chunking"]) == group and row["mode"] == mode)
