"""`docs/retrieval.md` and its picture, from a stored result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.charts import pyplot
from eval.retrieval.measure import MEASURES
from eval.retrieval.study import MODES

_COLOURS = {
    "dense": "#8fb3d9",
    "sparse": "#b9bfc6",
    "rrf": "#e0c58f",
    "hybrid": "#1f5fa8",
    "hybrid+rerank": "#12355b",
}
# What was asked of hybrid search: on many passages at least so much over each leg, anywhere no more than so much below
# the better one, and the answer among the first ten where it stands in one of a few hundred passages.
_MANY, _FEW = 1000, range(200, 600)
_MIN_GAIN, _MAX_LOSS, _MIN_RECALL = 0.05, 0.02, 0.97
_HEAD = """# How well passages are found

Written by `switchyard eval retrieval` from `{source}`; do not edit.

Each corpus is indexed with each chunking strategy and asked its questions in each search mode: by meaning (`dense`,
MiniLM), by words (`sparse`, BM25), by both with their scores weighted (`hybrid`, what answers are made from;
[how](decisions/0019-fusion.md)), by both with reciprocal ranks at equal weight (`rrf`, for comparison), and with
`hybrid`'s first 20 ordered again by their best sentence (`hybrid+rerank`). A passage counts where it holds the answer.
Intervals of 95% are over questions, of which at most {sample} a corpus are asked, drawn once.

![nDCG@10 by corpus, chunking and mode]({picture})

"""
_FOOT = """
**cut in two**: questions whose answer no chunk holds as a whole; they count as not found.

Whole articles are one document each, so that a chunking strategy has something to cut; a chunk counts where it holds
the answer with the words about it. Paragraphs fit into one chunk or two, so they are studied with the default strategy
alone. A question about a website's policy is searched in that policy only. `articles` is a part of SQuAD 2.0
(CC BY-SA 4.0), `policies` a sample of PolicyQA (MIT); their rows are not in this repository.

With `SWITCHYARD_RERANKER=FOLDER` a cross-encoder of yours [reranks](decisions/0021-reranking.md) in place of the best
sentence, here as well: `switchyard eval retrieval` shows what it brings on your documents. How much of what is found a
question should read, and whether with the passages beside it, is in [reading budgets](reading-budgets.md).
"""

Row = Mapping[str, Any]


def retrieval_page(rows: Sequence[Row], *, source: str, picture: str) -> str:
    """The page as Markdown."""
    sample = max(row["questions"] for row in rows)
    parts = [_HEAD.format(source=source, picture=picture, sample=sample), _targets(rows)]
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
    return _interval(measure, ".3f")


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
    figure, axes = plot.subplots(figsize=(9, 0.7 * len(groups) + 1.4), layout="constrained")
    width = 0.8 / len(MODES)
    for place, mode in enumerate(MODES):
        values = [_of(rows, group, mode)["ndcg@10"] for group in groups]
        spread = [[v["value"] - v["low"] for v in values], [v["high"] - v["value"] for v in values]]
        heights = [row + 0.4 - width * (place + 0.5) for row in range(len(groups))]
        axes.barh(
            heights, [v["value"] for v in values], 0.9 * width, xerr=spread, color=_COLOURS[mode], error_kw={"lw": 0.8}
        )
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


def _targets(rows: Sequence[Row]) -> str:
    """Each corpus held against what was asked of hybrid search, in its first chunking strategy."""
    lines = ["| corpus | passages | asked of `hybrid` | measured | |", "| --- | --- | --- | --- | --- |"]
    for corpus in dict.fromkeys(row["corpus"] for row in rows):
        row = next(row for row in rows if row["corpus"] == corpus and row["mode"] == "hybrid")
        lines += [f"| {corpus} | {row['chunks']} | {' | '.join(cells)} |" for cells in _bars(row)]
    return "\n".join([*lines, "", ""])


def _bars(row: Row) -> Iterator[tuple[str, str, str]]:
    """What was asked of a row of `hybrid`, its measure, and whether it was met."""
    over, alone = row["ndcg_over"], not row["within"]
    if row["chunks"] >= _MANY and alone:
        for leg, gain in over.items():
            yield _bar(f"nDCG@10 {_MIN_GAIN:+.0%} over {leg}", gain["relative"], "+.1%", _MIN_GAIN)
    worst = min((gain["difference"] for gain in over.values()), key=lambda difference: difference["value"])
    yield _bar(f"nDCG@10 at most {_MAX_LOSS} below the better leg", worst, "+.3f", -_MAX_LOSS)
    if row["documents"] in _FEW and alone:
        yield _bar(f"recall@10 >= {_MIN_RECALL}", row["recall@10"], ".3f", _MIN_RECALL)


def _bar(what: str, measure: Mapping[str, float], form: str, least: float) -> tuple[str, str, str]:
    return what, _interval(measure, form), "met" if measure["value"] >= least else "**missed**"


def _interval(measure: Mapping[str, float], form: str) -> str:
    return f"{measure['value']:{form}} ({measure['low']:{form}} to {measure['high']:{form}})"


def _against_legs(rows: Sequence[Row]) -> str:
    """What fusing and reranking bring over each leg, in the strategy that is the default."""
    lines: list[str] = []
    for mode in MODES:
        row = next(row for row in rows if row["chunking"] == rows[0]["chunking"] and row["mode"] == mode)
        told = [f"{_interval(over['relative'], '+.1%')} over {leg}" for leg, over in row["ndcg_over"].items()]
        lines += [f"- `{mode}`: {', '.join(told)}"] if told else []
    return f"\nnDCG@10, {rows[0]['chunking']} chunks:\n" + "\n".join(lines) + "\n"


def _of(rows: Sequence[Row], group: tuple[str, str], mode: str) -> Row:
    return next(row for row in rows if (row["corpus"], row["chunking"]) == group and row["mode"] == mode)
