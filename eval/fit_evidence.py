"""Fits the evidence gate: `python -m eval.fit_evidence --data DIR [--write]`.

`DIR` holds local copies of `reading_squad2.jsonl`, `reading_policyqa.jsonl`, `queries_out_of_scope.jsonl` and
`queries_banking.jsonl` (sources and licences: `SOURCES`). Prints the held-out table; `--write` replaces
`tools/knowledge/evidence.json`, which holds weights only, no row of the data.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.models.files import EMBEDDING_MODEL, embedding_folder
from agent.router.router import Router
from eval.cached_embedder import CachedEmbedder
from eval.evidence_data import TERSE, Query, Split, Text, Trial, load_sources, trials
from eval.memory_store import MemoryStore
from eval.samples import answered_questions, make_points, sample_points
from eval.statistics import auroc, bootstrap
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.evidence import DEFAULT_WEIGHTS, GATE_DEPTH, content_terms, evidence_features
from tools.knowledge.retrieve import Retriever
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.store import VectorPoint

SOURCES = {
    "reading_squad2.jsonl": "SQuAD 2.0, a part; CC BY-SA 4.0",
    "reading_policyqa.jsonl": "PolicyQA, sampled; MIT",
    "queries_out_of_scope.jsonl": "CLINC150, a part; CC BY 3.0",
    "queries_banking.jsonl": "BANKING77, a part; CC BY 4.0",
    "samples/documents with agent/routes.yaml": "this repository; Apache-2.0",
}
# Share of out-of-scope queries that router and gate together turn away, over the samples: no more than this, because
# what they turn away beyond it costs questions that the documents answer. The threshold is set on all of the queries,
# so this share is a setting and not a result; the result is what it costs, on questions that were not used.
TURNED_AWAY = 0.9
_SPLITS: tuple[Split, ...] = ("train", "validation", "test")
_OUT = Path("out/evidence")
_SEED = 11
_SAMPLE_DRAWS = 4
_REGULARISATION = 1.0


@dataclass(frozen=True)
class Row:
    """The features of one query on one corpus, with its label (see `Trial`)."""

    features: Mapping[str, float]
    label: int
    kind: str
    corpus: str
    query: str


@dataclass(frozen=True)
class Fitted:
    """Weights by feature, as `evidence.json` stores them."""

    names: Sequence[str]
    weights: NDArray[np.float64]
    bias: float

    def probabilities(self, rows: Sequence[Row]) -> NDArray[np.float64]:
        """The gate's probability of each row; rows without passages or content terms get 0."""
        inputs = np.array([[row.features.get(name, 0.0) for name in self.names] for row in rows])
        empty = np.array([not row.features for row in rows])
        return np.where(empty, 0.0, 1 / (1 + np.exp(-(inputs @ self.weights + self.bias))))


class Bench:
    """Puts trials to the real retriever over an exact in-memory store."""

    def __init__(self) -> None:
        minilm = MiniLMEmbedder(embedding_folder(_OUT))
        self.embedder = CachedEmbedder(minilm, _OUT / "embeddings.npz")
        self._bm25 = Bm25Encoder()
        self._points: dict[Text, VectorPoint] = {}
        self._retriever = Retriever(MemoryStore(), self.embedder, self._bm25)
        self.samples = sample_points(self.embedder, self._bm25, minilm.count_tokens)

    def rows(self, trial: Trial, extra: Sequence[VectorPoint] = ()) -> Iterator[Row]:
        """The features of every query of a trial; `extra` points join its corpus."""
        points = [*(self._point(passage) for passage in trial.passages), *extra]
        self._retriever.store.upsert(trial.name, points)
        for query, label in trial.queries:
            passages = self._retriever.search(trial.name, query.text, top_k=GATE_DEPTH)
            usable = bool(passages and content_terms(query.text))
            features = evidence_features(query.text, passages, len(points)) if usable else {}
            yield Row(features, label, query.kind, trial.name, query.text)

    def _point(self, passage: Text) -> VectorPoint:
        if passage not in self._points:
            title = passage.title.replace("_", " ")
            payload: dict[str, Any] = {"title": title, "text": passage.text, "page": None, "heading": []}
            name, text = f"{passage.title}/{len(self._points)}", f"{title}\n{passage.text}"
            self._points[passage] = make_points(name, [text], [payload], self.embedder, self._bm25)[0]
        return self._points[passage]


def collect(bench: Bench, data: Path) -> dict[Split, list[Row]]:
    """All rows of every split."""
    rows: dict[Split, list[Row]] = {"train": [], "validation": [], "test": []}
    for split, sources in load_sources(data).items():
        rng = random.Random(f"{_SEED} {split}")
        for trial in trials(sources, rng):
            rows[split] += bench.rows(trial)
        own = [(Query(row.text, "samples"), 1) for row in answered_questions(split)]
        for draw in range(_SAMPLE_DRAWS):
            far = [q for qs in sources.questions.values() for q in qs if q.kind == "squad2"]
            picked = [*rng.sample(sources.loose["out_of_scope"], 70), *rng.sample(far, 20)]
            # Alone, then among the documents of strangers.
            titles = rng.sample(sorted(sources.policies), min(4, draw * 2))
            passages = [passage for title in titles for passage in sources.passages[title]]
            trial = Trial("samples" if not draw else "samples and more", passages, own + [(q, 0) for q in picked])
            rows[split] += bench.rows(trial, bench.samples)
    return rows


def fit(rows: Sequence[Row]) -> Fitted:
    """Logistic regression on standardised features; both labels, and within a label all kinds, weigh the same."""
    from sklearn.linear_model import LogisticRegression

    used = [row for row in rows if row.label >= 0 and row.features]
    names = list(used[0].features)
    inputs = np.array([[row.features[name] for name in names] for row in used])
    labels = np.array([row.label for row in used])
    mean, spread = inputs.mean(axis=0), inputs.std(axis=0)
    model: Any = LogisticRegression(C=_REGULARISATION, max_iter=1000)
    model.fit((inputs - mean) / spread, labels, sample_weight=len(used) * balance(used))
    weights = model.coef_[0] / spread
    return Fitted(names, weights, float(model.intercept_[0] - weights @ mean))


def balance(rows: Sequence[Row]) -> NDArray[np.float64]:
    """Weights that sum to one: shared equally by labels, then by the kinds of a label, then by rows."""
    groups = [(row.label, row.kind.removesuffix(TERSE)) for row in rows]
    counts = Counter(groups)
    kinds = Counter(label for label, _ in counts)
    return np.array([1 / (len(kinds) * kinds[group[0]] * counts[group]) for group in groups])


def lowest_threshold(probabilities: Sequence[float], share: float) -> float:
    """The lowest threshold of four decimals with at least `share` of the probabilities below it."""
    ordered = sorted(probabilities)
    last_below = ordered[math.ceil(share * len(ordered)) - 1]
    return (math.floor(last_below * 10_000) + 1) / 10_000


def out_of_scope_probabilities(fitted: Fitted, bench: Bench, data: Path) -> list[float]:
    """What the gate makes of the out-of-scope queries.

    0 where the router turns them away by itself, 1 where it sends them to another branch.
    """
    router = Router.load(bench.embedder, EMBEDDING_MODEL[0].sha256, _OUT)
    sources = load_sources(data)
    queries = [query for split in _SPLITS for query in sources[split].loose["out_of_scope"]]
    rows = list(bench.rows(Trial("samples", [], [(query, 0) for query in queries]), bench.samples))
    decided = {"unknown": 0.0, "extraction": 1.0, "fraud": 1.0}
    routes = [router.route(row.query).routed_to for row in rows]
    return [decided.get(route, float(p)) for route, p in zip(routes, fitted.probabilities(rows), strict=True)]


def report(fitted: Fitted, threshold: float, rows: Sequence[Row]) -> dict[str, Any]:
    """The held-out table: how well the gate separates, beside the top cosine alone."""
    scored = [row for row in rows if row.label >= 0]
    labels = np.array([row.label for row in scored])
    scores = {"gate": fitted.probabilities(scored), "top cosine": np.array([_cosine(row) for row in scored])}
    queries = [row.query for row in scored]
    table: dict[str, Any] = {"n": len(scored), "queries": len(set(queries))}
    for name, values in scores.items():
        table[name] = {
            "auroc": bootstrap(lambda i, v=values: auroc(labels[i], v[i]), queries),
            "tpr_at_fpr_5": bootstrap(lambda i, v=values: _tpr_at(labels[i], v[i], 0.05), queries),
        }
    kept = scores["gate"] >= threshold
    table["answered_by_kind"] = _share_by([f"{row.label} {row.kind}" for row in scored], kept)
    table["answered_by_corpus"] = _share_by([f"{row.label} {row.corpus}" for row in scored], kept)
    near = [row for row in rows if row.label != 0]
    table["near_miss_auroc"] = auroc(np.array([row.label == 1 for row in near]), fitted.probabilities(near))
    table["reliability"] = _reliability(scores["gate"], labels)
    return table


def main(argv: Sequence[str] | None = None) -> None:
    """Fit, print the held-out table, and with `--write` replace the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args(argv)
    bench = Bench()
    try:
        rows = collect(bench, arguments.data)
    finally:
        bench.embedder.save()
    fitted = fit(rows["train"])
    threshold = lowest_threshold(out_of_scope_probabilities(fitted, bench, arguments.data), TURNED_AWAY)
    result = {
        "weights": {name: round(float(w), 5) for name, w in zip(fitted.names, fitted.weights, strict=True)},
        "bias": round(fitted.bias, 5),
        "threshold": threshold,
        "provenance": {
            "command": "python -m eval.fit_evidence --data DIR --write",
            "date": datetime.now(UTC).date().isoformat(),
            "data": SOURCES,
            "rows": {split: len(part) for split, part in rows.items()},
            "threshold": (
                f"set so that router and gate turn away {TURNED_AWAY:.0%} of all out-of-scope queries, with the "
                "samples indexed"
            ),
        },
        "held_out": report(fitted, threshold, rows["test"]),
    }
    print(json.dumps(result, indent=2))
    if arguments.write:
        DEFAULT_WEIGHTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _cosine(row: Row) -> float:
    return row.features.get("top_cosine", 0.0)


def _tpr_at(labels: NDArray[np.int64], scores: NDArray[np.float64], rate: float) -> float:
    return float(np.mean(scores[labels == 1] > np.quantile(scores[labels == 0], 1 - rate)))


def _share_by(groups: Sequence[str], kept: NDArray[np.bool_]) -> dict[str, float]:
    named = np.array(groups)
    return {name: round(float(kept[named == name].mean()), 4) for name in sorted(set(groups))}


def _reliability(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> list[dict[str, float]]:
    bins = np.minimum((scores * 10).astype(int), 9)
    return [
        {
            "n": int(sum(bins == b)),
            "mean": round(float(scores[bins == b].mean()), 3),
            "answered": round(float(labels[bins == b].mean()), 3),
        }
        for b in range(10)
        if (bins == b).any()
    ]


if __name__ == "__main__":
    main()
