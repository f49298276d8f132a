"""Measures the router on held-out utterances: `python -m eval.router_report [--data DIR]`.

Writes `docs/results/router.json`, the pictures and `docs/router.md`, and refits the packaged head when it is stale.
`DIR` holds local copies of `queries_out_of_scope.jsonl` and `queries_banking.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.models.files import EMBEDDING_MODEL, embedding_folder
from agent.models.reader import packaged_span_reader
from agent.results import Route
from agent.router.decide import RouteDecision
from agent.router.head import RouterHead, fit_head, head_key, head_path
from agent.router.router import PACKAGED_HEADS, Router
from agent.router.utterances import INTENTS, NOTHING, Intent, Utterance, Utterances, load_utterances
from eval.evidence_data import Split, load_sources
from eval.router_baselines import keyword_intents, tfidf_intents
from eval.router_page import write_page
from eval.samples import sample_points
from eval.statistics import bootstrap
from tools.knowledge.answerable import READ_PASSAGES, READ_SENTENCES, AnswerReader
from tools.knowledge.edge_store import EdgeStore
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.evidence import GATE_DEPTH, EvidenceGate
from tools.knowledge.rank import SentenceRanker
from tools.knowledge.retrieve import Retriever
from tools.knowledge.sparse import Bm25Encoder

RESULTS = Path("docs/results/router.json")
_OUT = Path("out/evidence")
_COLLECTION = "samples"
_LATENCY_RUNS = 3


class SampleIndex:
    """The router, the evidence gate and the near-miss reader over the sample documents, as the graph has them."""

    def __init__(self, router: Router, embedder: MiniLMEmbedder, folder: Path) -> None:
        bm25 = Bm25Encoder()
        points = sample_points(embedder, bm25, embedder.count_tokens)
        store = EdgeStore(folder, embedder.dimensions)
        store.upsert(_COLLECTION, points)
        self._retriever = Retriever(store, embedder, bm25)
        self._size = len(points)
        self._router = router
        self._gate = EvidenceGate.load()
        self._ranker = SentenceRanker(embedder, bm25)
        self._reader = AnswerReader.load(embedder.embed_words, packaged_span_reader())

    def answers(self, text: str) -> bool:
        """Whether the gate finds evidence for a question, and the reader an answer in it."""
        passages = self._retriever.search(_COLLECTION, text, top_k=GATE_DEPTH)
        if not self._gate.assess(text, passages, corpus_size=self._size).answerable:
            return False
        candidates = self._ranker.rank(text, passages[:READ_PASSAGES], limit=READ_SENTENCES)
        return self._reader.read(text, candidates, passages).answers

    def route(self, text: str) -> Route:
        """The route that answers in the end."""
        decision = self._router.route(text)
        return "unknown" if decision.routed_to == "knowledge" and not self.answers(text) else decision.routed_to


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, write the results and render the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args(argv)
    utterances = load_utterances()
    embedder = MiniLMEmbedder(embedding_folder(_OUT))
    router = Router(_packaged_head(utterances, embedder), embedder)
    results: dict[str, Any] = {
        "utterances": _counts(utterances),
        "latency_ms": _latency(router, utterances),
        "intents": _intents(router, utterances),
        "decisions": _decisions(router, utterances.of("test")),
    }
    with tempfile.TemporaryDirectory() as folder:
        index = SampleIndex(router, embedder, Path(folder))
        results["end_to_end"] = _end_to_end(index, utterances.of("test"))
        if arguments.data:
            results["strangers"] = _strangers(index, arguments.data)
        elif RESULTS.exists():
            results["strangers"] = json.loads(RESULTS.read_text(encoding="utf-8")).get("strangers")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    write_page(results)
    print(json.dumps({k: v for k, v in results.items() if k != "intents"}, indent=2))


def _packaged_head(utterances: Utterances, embedder: MiniLMEmbedder) -> RouterHead:
    key = head_key(utterances, EMBEDDING_MODEL[0].sha256)
    path = head_path(PACKAGED_HEADS, key)
    if not path.exists():
        for stale in PACKAGED_HEADS.glob("*.npz"):
            stale.unlink()
        fit_head(utterances, embedder, key).save(path)
    return RouterHead.load(path)


def _counts(utterances: Utterances) -> dict[str, dict[str, int]]:
    counted = Counter((row.intent, row.split) for row in utterances.rows)
    return {intent: {split: counted[intent, split] for split in ("train", "validation", "test")} for intent in INTENTS}


def _latency(router: Router, utterances: Utterances) -> dict[str, float]:
    """Milliseconds a message, embedding included: each is new to the embedder's cache."""
    times: list[float] = []
    busy: list[float] = []
    for run in range(_LATENCY_RUNS):
        for row in utterances.of("test"):
            started, started_cpu = time.perf_counter(), time.process_time()
            router.route(f"{row.text} {'.' * (run + 1)}")
            times.append((time.perf_counter() - started) * 1000)
            busy.append((time.process_time() - started_cpu) * 1000)
    (p50, p95), (cpu_p50, cpu_p95) = np.quantile([times, busy], (0.5, 0.95), axis=1).T.round(2).tolist()
    return {"p50": p50, "p95": p95, "cpu_p50": cpu_p50, "cpu_p95": cpu_p95, "n": len(times)}


def _intents(router: Router, utterances: Utterances) -> dict[str, Any]:
    rows = utterances.of("test")
    truth: list[Intent] = [row.intent for row in rows]
    scored = [router.head.probabilities(router.embedder, row.text) for row in rows]
    predicted: list[Intent] = [max(INTENTS, key=lambda intent, p=p: p[intent]) for p in scored]
    texts = [row.text for row in rows]
    return {
        "accuracy": {
            "router": _accuracy(predicted, truth),
            "TF-IDF and logistic regression": _accuracy(tfidf_intents(utterances, texts), truth),
            "keywords": _accuracy(keyword_intents(texts), truth),
        },
        "confusion": [
            [sum(t == a and p == b for t, p in zip(truth, predicted, strict=True)) for b in INTENTS] for a in INTENTS
        ],
        "reliability": _reliability(
            [max(p.values()) for p in scored], [p == t for p, t in zip(predicted, truth, strict=True)]
        ),
        "temperature": round(router.head.temperature, 3),
    }


def _decisions(router: Router, rows: Sequence[Utterance]) -> dict[str, dict[str, int]]:
    """Where each intent is sent first, with `ambiguous` apart."""
    counted: dict[str, Counter[str]] = {intent: Counter() for intent in INTENTS}
    for row in rows:
        counted[row.intent][_name(router.route(row.text))] += 1
    return {intent: dict(counter) for intent, counter in counted.items()}


def _end_to_end(index: SampleIndex, rows: Sequence[Utterance]) -> dict[str, Any]:
    judged = [(row, expected) for row in rows if (expected := _expected(row)) is not None]
    found = [index.route(row.text) for row, _ in judged]
    wanted: list[str] = [expected for _, expected in judged]
    by_route = {
        route: _accuracy([f for f, w in zip(found, wanted, strict=True) if w == route], [route] * wanted.count(route))
        for route in sorted(set(wanted))
    }
    return {"accuracy": _accuracy(found, wanted), "by_route": by_route}


def _expected(row: Utterance) -> Route | None:
    """The route that should answer with the samples indexed; None where nobody has labelled it."""
    if row.intent == "question":
        return None if row.answered_by is None else "unknown" if row.answered_by == NOTHING else "knowledge"
    return "unknown" if row.intent == "other" else row.intent


def _strangers(index: SampleIndex, data: Path) -> dict[str, Any]:
    """Shares of strangers' queries by final route; `held_out` were not used to fit the gate."""
    sources = load_sources(data)
    shares: dict[str, Any] = {}
    for name in ("out_of_scope", "banking"):
        parts: dict[str, tuple[Split, ...]] = {"all": ("train", "validation", "test"), "held_out": ("test",)}
        for part, splits in parts.items():
            texts = [query.text for split in splits for query in sources[split].loose[name]]
            routes = Counter(index.route(text) for text in texts)
            shares[f"{name} ({part})"] = {route: round(n / len(texts), 4) for route, n in routes.items()} | {
                "n": len(texts)
            }
    return shares


def _name(decision: RouteDecision) -> str:
    return "ambiguous" if decision.ambiguous else decision.routed_to


def _accuracy(found: Sequence[str], wanted: Sequence[str]) -> dict[str, float]:
    right = np.array([f == w for f, w in zip(found, wanted, strict=True)])
    return bootstrap(lambda rows: float(right[rows].mean()), [str(i) for i in range(len(right))]) | {"n": len(right)}


def _reliability(confidences: Sequence[float], right: Sequence[bool]) -> list[dict[str, float]]:
    values, hits = np.array(confidences), np.array(right)
    edges = np.array([0.0, 0.5, 0.7, 0.9, 0.97, 1.01])
    bins = np.digitize(values, edges) - 1
    return [
        {
            "n": int(sum(bins == b)),
            "confidence": round(float(values[bins == b].mean()), 3),
            "accuracy": round(float(hits[bins == b].mean()), 3),
        }
        for b in range(len(edges) - 1)
        if (bins == b).any()
    ]


if __name__ == "__main__":
    main()
