"""What a question gets to read for its tokens: `python -m eval.retrieval.budgets --data DIR`.

The passages that were found fill a budget of tokens: by rank alone, each followed by its neighbours in the section
(its parent), or the best five before all neighbours. Measured are the share of questions whose answer is in what is
read, and whose answer is in the three sentences that are quoted without a model.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from eval.bench.report import machine
from eval.cases import REPOSITORY
from eval.charts import pyplot
from eval.retrieval.corpora import Corpus, Question, reading, samples
from eval.retrieval.page import whole
from eval.retrieval.study import COLLECTION, Setup, index_corpus
from eval.statistics import bootstrap
from tools.knowledge.documents import Passage
from tools.knowledge.edge_store import EdgeStore
from tools.knowledge.parents import with_neighbours, within_budget
from tools.knowledge.rank import SentenceRanker
from tools.knowledge.rerank import RERANK_DEPTH
from tools.knowledge.retrieve import Retriever
from tools.knowledge.store import Where

RESULT = REPOSITORY / "docs" / "results" / "reading-budgets.json"
PAGE = REPOSITORY / "docs" / "reading-budgets.md"
PICTURE = REPOSITORY / "docs" / "images" / "reading-budgets.png"
BUDGETS = (128, 256, 384, 512, 768, 1024)
ORDERS = ("by rank", "with parents", "parents last")
_READ, _QUOTED = 5, 3
_SAMPLE = 80
_DOCUMENTS = 6
_CACHE = Path(".switchyard") / "bench" / "cache"
_COLOURS = {"by rank": "#1f5fa8", "with parents": "#e0913a", "parents last": "#8a8f96"}
_HEAD = """# Quality against the budget of tokens

Written by `python -m eval.retrieval.budgets` from `docs/results/reading-budgets.json`; do not edit.

What a question reads is bounded by tokens: a small model reads some hundred a second
([first token by tokens](knowledge-benchmarks.md)). Passages fill a budget **by rank**, each followed by the passages
beside it in its section (**with parents**), or the best five before all that stands beside them (**parents last**). A
passage that does not fit is passed over. Tokens are the embedding model's, without the question and the instructions.

- **contained**: the share of questions whose answer stands in one of the passages that are read;
- **quoted**: the share whose answer stands in the three best sentences of these passages, which is what the
  small model may say (`tools/knowledge/rank.py`).

Intervals of 95% are over questions, of which at most {sample} a corpus are asked, drawn once. The corpora are those of
[retrieval](retrieval.md): of the reading sets the first documents, whole, so that passages have neighbours.

![Answers contained and quoted by budget](images/reading-budgets.png)
"""
_FOOT = """
`SWITCHYARD_PARENT_TOKENS=N` lets a question read up to N tokens of neighbours after its five passages (**parents
last**); each stays a passage of its own, so that a quote is cited where it stands. It is off by default: up to 768
tokens neighbours hold no more answers than further passages of the same size, and with 1024 the difference is within
the intervals, which are wide on so few questions.
"""

Row = Mapping[str, Any]


def measure_budgets(setup: Setup, corpus: Corpus) -> list[dict[str, Any]]:
    """A row for each budget and order. Blocks."""
    with tempfile.TemporaryDirectory() as folder:
        store = EdgeStore(Path(folder), setup.embedder.dimensions)
        try:
            index_corpus(setup, store, corpus)
            return list(_rows(setup, store, corpus))
        finally:
            store.close()


def first(corpus: Corpus, documents: int) -> Corpus:
    """The first documents of a corpus with the questions about them."""
    kept = dict(list(corpus.documents.items())[:documents])
    return replace(corpus, documents=kept, questions=[one for one in corpus.questions if one.document_id in kept])


def budget_page(rows: Sequence[Row], machine: Mapping[str, str]) -> str:
    """The page as Markdown."""
    parts = [_HEAD.format(sample=max(row["questions"] for row in rows))]
    for corpus in dict.fromkeys(row["corpus"] for row in rows):
        chosen = [row for row in rows if row["corpus"] == corpus]
        parts += [
            f"\n## {corpus}\n\n{chosen[0]['documents']} documents, {chosen[0]['questions']} questions.\n\n",
            _table(chosen),
        ]
        parts.append(f"\nFetching the neighbours of five passages took {chosen[0]['fetch_ms']:.1f} ms (median).\n")
    foot = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in machine.items())
    return "".join([*parts, _FOOT, f"\n{foot}.\n"])


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw the share contained (solid) and quoted (dashed) against the budget, one plot a corpus; write a PNG.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    plot = pyplot()
    corpora = list(dict.fromkeys(row["corpus"] for row in rows))
    figure, all_axes = plot.subplots(
        1, len(corpora), figsize=(3.4 * len(corpora), 3.2), sharey=True, squeeze=False, layout="constrained"
    )
    for axes, corpus in zip(all_axes[0], corpora, strict=True):
        for order in ORDERS:
            chosen = [row for row in rows if (row["corpus"], row["order"]) == (corpus, order)]
            for measure, line in (("contained", "-"), ("quoted", "--")):
                values = [row[measure]["value"] for row in chosen]
                label = order if measure == "contained" else None
                axes.plot([row["budget"] for row in chosen], values, line, color=_COLOURS[order], label=label)
        axes.set_title(corpus, fontsize=9)
        axes.set_xlabel("tokens")
        axes.set_ylim(0, 1)
        axes.spines[["top", "right"]].set_visible(False)
    all_axes[0][0].legend(frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plot.close(figure)


def _rows(setup: Setup, store: EdgeStore, corpus: Corpus) -> Iterator[dict[str, Any]]:
    retriever = Retriever(store, setup.embedder, setup.bm25)
    ranker = SentenceRanker(setup.embedder, setup.bm25)
    found: list[tuple[Question, dict[str, list[Passage]]]] = []
    fetched: list[float] = []
    for question in corpus.questions:
        where = Where(document_ids=question.within)
        passages = retriever.search(COLLECTION, question.text, top_k=RERANK_DEPTH, where=where)
        started = time.perf_counter()
        beside = with_neighbours(passages[:_READ], lambda ids: store.payloads(COLLECTION, ids))
        fetched.append(1000 * (time.perf_counter() - started))
        found.append((question, _orders(passages, beside)))
    facts = {
        "corpus": corpus.name,
        "documents": len(corpus.documents),
        "questions": len(found),
        "fetch_ms": statistics.median(fetched),
    }
    for budget in BUDGETS:
        for order in ORDERS:
            read = [
                (question, within_budget(orders[order], budget, setup.embedder.count_tokens))
                for question, orders in found
            ]
            tokens = [sum(setup.embedder.count_tokens(one.text) for one in passages) for _, passages in read]
            yield {
                **facts,
                "budget": budget,
                "order": order,
                "tokens": statistics.mean(tokens),
                "contained": _share([_contained(question, passages) for question, passages in read]),
                "quoted": _share([_quoted(ranker, question, passages) for question, passages in read]),
            }


def _orders(passages: Sequence[Passage], beside: Mapping[str, Sequence[Passage]]) -> dict[str, list[Passage]]:
    """In what order passages fill a budget. What is both found and a neighbour is read once, where it comes first."""
    neighbours = [one for given in beside.values() for one in given]
    after_each = [one for passage in passages[:_READ] for one in (passage, *beside[passage.chunk_id])]
    given = (passages, [*after_each, *passages[_READ:]], [*passages[:_READ], *neighbours, *passages[_READ:]])
    return {
        name: list({one.chunk_id: one for one in reversed(order)}.values())[::-1]
        for name, order in zip(ORDERS, given, strict=True)
    }


def _contained(question: Question, passages: Sequence[Passage]) -> bool:
    return any(question.answered_by(one.document_id, one.text) for one in passages)


def _quoted(ranker: SentenceRanker, question: Question, passages: Sequence[Passage]) -> bool:
    """Whether the best sentences say the fact; what only tells its place in a long article need not be quoted."""
    best = ranker.rank(question.text, passages, limit=_QUOTED)
    said = " ".join(one.quote for one in best if one.passage.document_id == question.document_id)
    return bool(said) and all(
        any(" ".join(wording.split()).casefold() in " ".join(said.split()).casefold() for wording in wordings)
        for wordings in question.facts
    )


def _share(values: Sequence[bool]) -> dict[str, float]:
    held = np.array(values, dtype=np.float64)
    return bootstrap(lambda rows: float(held[rows].mean()), [str(number) for number in range(len(values))])


def _table(rows: Sequence[Row]) -> str:
    lines = ["| budget | order | tokens read | contained | quoted |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        cells = [row["budget"], row["order"], f"{row['tokens']:.0f}", whole(row["contained"]), whole(row["quoted"])]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, keep the figures, write the page and its picture."""
    parser = argparse.ArgumentParser(prog="python -m eval.retrieval.budgets", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with reading_squad2.jsonl and reading_policyqa.jsonl")
    parser.add_argument("--documents", type=int, default=_DOCUMENTS, help="this many documents of a reading set")
    parser.add_argument("--sample", type=int, default=_SAMPLE, help="at most this many questions of a corpus")
    given = parser.parse_args()
    setup = Setup.load(_CACHE)
    cut = [first(corpus, given.documents) for corpus in reading(given.data) if corpus.is_cut] if given.data else []
    rows: list[dict[str, Any]] = []
    for corpus in (samples(), *cut):
        rows += measure_budgets(setup, corpus.sampled(given.sample))
        _keep(rows)


def _keep(rows: Sequence[Row]) -> None:
    measured_on = machine()
    RESULT.write_text(json.dumps({"rows": rows, "machine": measured_on}, indent=1) + "\n", "utf-8")
    PAGE.write_text(budget_page(rows, measured_on), "utf-8")
    draw(rows, PICTURE)


if __name__ == "__main__":
    main()
