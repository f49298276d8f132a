"""Measures the sentence ranking: `python -m eval.ranking_report --data DIR`.

`DIR` holds local copies of `reading_squad2.jsonl` and `reading_policyqa.jsonl` (see `SOURCES`). Retrieves
over corpora pooled from their passages as the product does and counts how often a sentence that holds the answer is
among the best one, two and three, beside the ranking by likeness alone and by shared terms alone. Writes
`docs/results/ranking.json`: figures, no row of the data.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.models.files import embedding_folder
from eval.cached_embedder import CachedEmbedder
from eval.memory_store import MemoryStore
from eval.samples import make_points
from eval.statistics import bootstrap
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.rank import DEFAULT_WEIGHTS, RankWeights, SentenceRanker
from tools.knowledge.retrieve import Retriever
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.store import VectorPoint

SOURCES = {
    "reading_squad2.jsonl": "SQuAD 2.0, a part; CC BY-SA 4.0",
    "reading_policyqa.jsonl": "PolicyQA, sampled; MIT",
}
RANKINGS = {
    "shipped": DEFAULT_WEIGHTS,
    "likeness alone": RankWeights(1, 0, 0),
    "shared terms alone": RankWeights(0, 1, 0),
}
_RESULT = Path(__file__).parents[1] / "docs" / "results" / "ranking.json"
_OUT = Path("out/ranker")
_PASSAGES = 5
_DEPTH = 3
# Questions about website policies only make sense over one site's policy; articles are searched a dozen at a time.
_TITLES_PER_CORPUS = {"reading_squad2.jsonl": 12, "reading_policyqa.jsonl": 1}
_QUESTIONS_PER_TITLE = 40
_HELD_OUT = 0.3


@dataclass(frozen=True)
class Trial:
    """A question: whether its passage was retrieved, and at which place (from 1) each ranking has the answer."""

    source: str
    title: str
    retrieved: bool
    places: Mapping[str, int | None]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m eval.ranking_report", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the reading comprehension files")
    arguments = parser.parse_args()
    trials = list(_trials(arguments.data))
    table = {source: _figures([trial for trial in trials if trial.source == source]) for source in SOURCES}
    text = json.dumps({"sources": SOURCES, "figures": table}, indent=2)
    _RESULT.write_text(text + "\n", "utf-8")
    print(text)


def _figures(trials: list[Trial]) -> dict[str, Any]:
    figures: dict[str, Any] = {"questions": len(trials)}
    figures["passage retrieved"] = round(float(np.mean([trial.retrieved for trial in trials])), 3)
    for name in RANKINGS:
        for depth in range(1, _DEPTH + 1):
            figures[f"{name}@{depth}"] = _share(trials, name, depth)
    return figures


def _share(trials: list[Trial], ranking: str, depth: int) -> dict[str, float]:
    """Share of questions with the answer among the best `depth` sentences, resampled by title."""
    hits = np.array([(trial.places[ranking] or depth + 1) <= depth for trial in trials], dtype=np.float64)

    def measure(rows: NDArray[np.int64]) -> float:
        return float(hits[rows].mean())

    return {name: round(value, 3) for name, value in bootstrap(measure, [trial.title for trial in trials]).items()}


def _trials(folder: Path) -> Iterator[Trial]:
    _OUT.mkdir(parents=True, exist_ok=True)
    embedder = CachedEmbedder(MiniLMEmbedder(embedding_folder(_OUT)), _OUT / "vectors.npz")
    bm25, store = Bm25Encoder(), MemoryStore()
    retriever = Retriever(store, embedder, bm25)
    rankers = {name: SentenceRanker(embedder, bm25, weights) for name, weights in RANKINGS.items()}
    for source in SOURCES:
        for corpus in _corpora(folder / source, _TITLES_PER_CORPUS[source]):
            store.upsert("corpus", _points(corpus, embedder, bm25))
            for row in _questions(corpus):
                yield _trial(source, row, retriever, rankers)
        embedder.save()


def _trial(source: str, row: dict[str, Any], retriever: Retriever, rankers: Mapping[str, SentenceRanker]) -> Trial:
    passages = retriever.search("corpus", row["question"], top_k=_PASSAGES)
    gold = [answer.lower() for answer in row["answers"]]
    places: dict[str, int | None] = {}
    for name, ranker in rankers.items():
        best = ranker.rank(row["question"], passages, limit=_DEPTH)
        holds = [
            c.passage.text == row["passage"] and any(g in c.quote.lower() or c.quote.lower() in g for g in gold)
            for c in best
        ]
        places[name] = holds.index(True) + 1 if any(holds) else None
    return Trial(source, row["title"], any(p.text == row["passage"] for p in passages), places)


def _corpora(path: Path, size: int) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Rows by title, `size` held-out titles at a time."""
    by_title: dict[str, list[dict[str, Any]]] = {}
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        by_title.setdefault(row["title"], []).append(row)
    titles = [title for title in sorted(by_title, key=_digest) if _is_held_out(title)]
    for first in range(0, len(titles), size):
        yield {title: by_title[title] for title in titles[first : first + size]}


def _points(
    corpus: Mapping[str, list[dict[str, Any]]], embedder: CachedEmbedder, bm25: Bm25Encoder
) -> list[VectorPoint]:
    points: list[VectorPoint] = []
    for title, rows in corpus.items():
        texts = list(dict.fromkeys(row["passage"] for row in rows))
        payloads: list[dict[str, Any]] = [{"title": title, "text": text, "page": None, "heading": []} for text in texts]
        points += make_points(title, [f"{title}\n{text}" for text in texts], payloads, embedder, bm25)
    return points


def _questions(corpus: Mapping[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    for rows in corpus.values():
        answerable = [row for row in rows if row["answerable"] and row["answers"]]
        yield from sorted(answerable, key=lambda row: _digest(row["question"]))[:_QUESTIONS_PER_TITLE]


def _is_held_out(title: str) -> bool:
    return int(_digest(title), 16) % 1000 < 1000 * _HELD_OUT


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    main()
