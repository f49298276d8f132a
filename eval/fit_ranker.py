"""Fits the sentence ranking: `python -m eval.fit_ranker --data DIR [--write]`.

`DIR` holds local copies of `reading_squad2.jsonl` and `reading_policyqa.jsonl` (`SOURCES` says what they are).
Retrieves over corpora pooled from their passages as the product does, labels the sentences that hold the answer, fits a
logistic regression on the training titles and prints how often the answer is among the best sentences of the held-out
ones, beside the ranking by cosine and by shared terms. `--write` replaces `tools/knowledge/rank.json`: weights only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from agent.models.files import embedding_folder
from eval.cached_embedder import CachedEmbedder
from eval.memory_store import MemoryStore
from eval.samples import make_points
from eval.statistics import auroc, bootstrap
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.rank import DEFAULT_WEIGHTS, FEATURES, RankWeights, SentenceRanker
from tools.knowledge.retrieve import Retriever
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.store import VectorPoint
from tools.ports import Vector

SOURCES = {
    "reading_squad2.jsonl": "SQuAD 2.0, a part; CC BY-SA 4.0",
    "reading_policyqa.jsonl": "PolicyQA, sampled; MIT",
}
_OUT = Path("out/ranker")
_PASSAGES = 5
# Questions about website policies only make sense over one site's policy; articles are searched a dozen at a time.
_TITLES_PER_CORPUS = {"reading_squad2.jsonl": 12, "reading_policyqa.jsonl": 1}
_QUESTIONS_PER_TITLE = 60
_HELD_OUT = 0.3


@dataclass(frozen=True)
class Trial:
    """A question over retrieved passages: a feature row for each sentence, and which of them hold the answer."""

    source: str
    title: str
    held_out: bool
    answerable: bool
    features: Vector
    holds: NDArray[np.bool_]


def main() -> None:
    """Fit, report, and write on request."""
    parser = argparse.ArgumentParser(prog="python -m eval.fit_ranker", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the reading comprehension files")
    parser.add_argument("--write", action="store_true", help="replace tools/knowledge/rank.json")
    arguments = parser.parse_args()
    trials = list(_trials(arguments.data))
    weights = _fit([trial for trial in trials if not trial.held_out])
    table = _table([trial for trial in trials if trial.held_out], weights)
    print(json.dumps(table, indent=2))
    print({name: round(value, 3) for name, value in weights.weights.items()}, round(weights.bias, 3))
    if arguments.write:
        fitted = {
            "weights": {name: round(value, 4) for name, value in weights.weights.items()},
            "bias": round(weights.bias, 4),
            "fitted": datetime.now(UTC).strftime("%Y-%m-%d"),
            "command": "python -m eval.fit_ranker --data DIR --write",
            "sources": SOURCES,
            "questions": {"train": sum(not t.held_out for t in trials), "held_out": sum(t.held_out for t in trials)},
            "held_out": table,
        }
        DEFAULT_WEIGHTS.write_text(json.dumps(fitted, indent=2) + "\n", "utf-8")


def _fit(trials: Sequence[Trial]) -> RankWeights:
    """Logistic regression over all sentences of the questions whose answer was retrieved."""
    useful = [trial for trial in trials if trial.holds.any()]
    rows = np.concatenate([trial.features for trial in useful])
    labels = np.concatenate([trial.holds for trial in useful])
    # Each question counts the same, however many sentences were retrieved for it.
    sample_weights = np.concatenate([np.full(len(trial.holds), 1 / len(trial.holds)) for trial in useful])
    model: Any = LogisticRegression(C=100.0, max_iter=2000)
    model.fit(rows, labels, sample_weights * len(rows) / len(useful))
    coefficients: list[float] = model.coef_[0].tolist()
    return RankWeights(dict(zip(FEATURES, coefficients, strict=True)), float(model.intercept_[0]))


def _table(trials: Sequence[Trial], weights: RankWeights) -> dict[str, dict[str, Any]]:
    rankings = {
        "fitted": weights,
        "cosine": RankWeights({**dict.fromkeys(FEATURES, 0.0), "cosine": 1.0}, 0.0),
        "shared terms": RankWeights({**dict.fromkeys(FEATURES, 0.0), "shared": 1.0}, 0.0),
    }
    table: dict[str, dict[str, Any]] = {}
    for source in sorted({trial.source for trial in trials}):
        of_source = [trial for trial in trials if trial.source == source and trial.answerable]
        figures: dict[str, Any] = {"questions": len(of_source)}
        figures["answer_retrieved"] = round(float(np.mean([trial.holds.any() for trial in of_source])), 3)
        for name, ranking in rankings.items():
            for depth in (1, 2, 3):
                figures[f"{name}@{depth}"] = _share(of_source, ranking, depth)
        table[source] = figures
    table["near_misses"] = _near_misses([trial for trial in trials if "squad" in trial.source], weights)
    return table


def _near_misses(trials: Sequence[Trial], weights: RankWeights) -> dict[str, float]:
    """How well the best sentence's score tells answerable questions from people's near misses on the same article."""
    best = np.array([weights.scores(trial.features).max() for trial in trials])
    answerable = np.array([trial.answerable for trial in trials])
    threshold = float(np.quantile(best[answerable], 0.03))
    return {
        "auroc": round(auroc(answerable, best), 3),
        "refused_at_3_percent_false_refusals": round(float((best[~answerable] < threshold).mean()), 3),
        "threshold": round(threshold, 3),
    }


def _share(trials: Sequence[Trial], ranking: RankWeights, depth: int) -> dict[str, float]:
    """Share of questions with the answer among the best `depth` sentences, resampled by title."""
    hits = np.array([_hit(trial, ranking, depth) for trial in trials], dtype=np.float64)

    def measure(rows: NDArray[np.int64]) -> float:
        return float(hits[rows].mean())

    return {name: round(value, 3) for name, value in bootstrap(measure, [trial.title for trial in trials]).items()}


def _hit(trial: Trial, weights: RankWeights, depth: int) -> bool:
    order = np.argsort(-weights.scores(trial.features), kind="stable")[:depth]
    return bool(trial.holds[order].any())


def _trials(folder: Path) -> Iterator[Trial]:
    _OUT.mkdir(parents=True, exist_ok=True)
    embedder = MiniLMEmbedder(embedding_folder(_OUT))
    cached = CachedEmbedder(embedder, _OUT / "vectors.npz")
    bm25 = Bm25Encoder()
    store = MemoryStore()
    retriever = Retriever(store, cached, bm25)
    ranker = SentenceRanker(cached, bm25, RankWeights(dict.fromkeys(FEATURES, 0.0), 0.0))
    for source in SOURCES:
        for corpus in _corpora(folder / source, _TITLES_PER_CORPUS[source]):
            points = _points(corpus, cached, bm25)
            store.upsert("corpus", points)
            for row in _questions(corpus):
                passages = retriever.search("corpus", row["question"], top_k=_PASSAGES)
                rows, features = ranker.features(row["question"], passages)
                gold = [answer.lower() for answer in row["answers"]]
                holds = np.array(
                    [
                        p.text == row["passage"] and any(g in r.quote.lower() or r.quote.lower() in g for g in gold)
                        for _, p, r in rows
                    ]
                )
                if len(holds):
                    yield Trial(source, row["title"], _is_held_out(row["title"]), row["answerable"], features, holds)
        cached.save()


def _corpora(path: Path, size: int) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Rows by title, `size` titles of one split at a time."""
    by_title: dict[str, list[dict[str, Any]]] = {}
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        by_title.setdefault(row["title"], []).append(row)
    for held_out in (False, True):
        titles = [title for title in sorted(by_title, key=_digest) if _is_held_out(title) == held_out]
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
        yield from sorted(rows, key=lambda row: _digest(row["question"]))[:_QUESTIONS_PER_TITLE]


def _is_held_out(title: str) -> bool:
    return int(_digest(title), 16) % 1000 < 1000 * _HELD_OUT


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    main()
