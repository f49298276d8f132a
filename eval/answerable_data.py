"""Questions for fitting the near-miss reader, each with its own passage alone and with what retrieval finds for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.models.files import embedding_folder
from agent.models.reader import packaged_span_reader
from eval.cached_embedder import CachedEmbedder
from eval.cached_words import CachedWords
from eval.memory_store import MemoryStore
from eval.samples import answered_questions, make_points, sample_points
from finetune.reader.written import written_rows
from tools.knowledge.answerable import READ_PASSAGES, READ_SENTENCES, SPAN_MARGIN, reader_features, span_margins
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.rank import SentenceRanker
from tools.knowledge.retrieve import Retriever
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.store import VectorPoint

ARTICLES, POLICIES, SAMPLES, RULES = "articles", "policies", "samples", "rules"
OWN, RETRIEVED = "own passage", "retrieved"
SOURCES = {
    "reading_squad2.jsonl": "SQuAD 2.0, a part; CC BY-SA 4.0",
    "reading_policyqa.jsonl": "PolicyQA, sampled; MIT",
    "finetune/reader/written": "this repository; Apache-2.0",
    "samples/documents with agent/routes.yaml": "this repository; Apache-2.0",
}


@dataclass(frozen=True)
class Example:
    """A question in one setting. `group` is what must not be split: an article, a policy, a split of the samples.

    `passage` is the text that it was asked about, where it was asked about one. Of `seen` examples the span reader was
    trained on the document: it would be too sure of them, and has not read them.
    """

    kind: str
    setting: str
    group: str
    question: str
    answerable: bool
    features: Mapping[str, float]
    passage: str = ""
    seen: bool = False


class Reader:
    """Retrieves, ranks and computes features exactly as the product does, over an exact store in memory."""

    def __init__(self, folder: Path) -> None:
        """Keep embeddings in `folder` between runs."""
        self._minilm = MiniLMEmbedder(embedding_folder(folder))
        self._passages = CachedEmbedder(self._minilm, folder / "passages.npz")
        self._words = CachedWords(self._minilm, folder / "words.npz")
        self._bm25 = Bm25Encoder()
        self._retriever = Retriever(MemoryStore(), self._words, self._bm25)
        self._ranker = SentenceRanker(self._words, self._bm25)
        self._spans = packaged_span_reader()

    def examples(self, data: Path) -> list[Example]:
        """Every question of the reading sets, of our own and of the samples, in both settings where there are two."""
        found = [*self._together(ARTICLES, _rows(data / "reading_squad2.jsonl"))]
        found += self._together(RULES, [row.model_dump() for row in written_rows()])
        found += self._policies(_rows(data / "reading_policyqa.jsonl"))
        found += self._samples()
        self._passages.save()
        self._words.save()
        return found

    def _together(self, kind: str, rows: Sequence[dict[str, Any]]) -> Iterator[Example]:
        """All passages in one collection, and each alone."""
        points = self._points(rows)
        yield from self._ask(kind, RETRIEVED, rows, list(points.values()))
        for passage, own in _by(rows, "passage").items():
            yield from self._ask(kind, OWN, own, [points[passage]])

    def _policies(self, rows: Sequence[dict[str, Any]]) -> Iterator[Example]:
        points = self._points(rows)
        for own in _by(rows, "title").values():
            texts = dict.fromkeys(row["passage"] for row in own)
            yield from self._ask(POLICIES, RETRIEVED, own, [points[text] for text in texts])
        for passage, own in _by(rows, "passage").items():
            yield from self._ask(POLICIES, OWN, own, [points[passage]])

    def _samples(self) -> Iterator[Example]:
        points = sample_points(self._passages, self._bm25, self._minilm.count_tokens)
        for split in ("train", "validation", "test"):
            rows = [{"title": split, "question": row.text, "answerable": True} for row in answered_questions(split)]
            yield from self._ask(SAMPLES, RETRIEVED, rows, points)

    def _points(self, rows: Iterable[dict[str, Any]]) -> dict[str, VectorPoint]:
        """A point for each passage, by its text."""
        titles = {row["passage"]: str(row["title"]).replace("_", " ") for row in rows}
        payloads: list[dict[str, Any]] = [
            {"title": title, "text": text, "page": None, "heading": []} for text, title in titles.items()
        ]
        texts = [f"{title}\n{text}" for text, title in titles.items()]
        points = make_points("corpus", texts, payloads, self._passages, self._bm25)
        return dict(zip(titles, points, strict=True))

    def _ask(
        self, kind: str, setting: str, rows: Iterable[dict[str, Any]], points: Sequence[VectorPoint]
    ) -> Iterator[Example]:
        self._retriever.store.upsert("corpus", points)
        for row in rows:
            # Some unanswerable questions begin with a space, which must not give them away.
            question = str(row["question"]).strip()
            passages = self._retriever.search("corpus", question, top_k=READ_PASSAGES)
            candidates = self._ranker.rank(question, passages, limit=READ_SENTENCES)
            features = reader_features(self._words.embed_words, question, candidates, passages)
            group, passage = str(row["title"]), str(row.get("passage", ""))
            seen = kind != SAMPLES and group not in self._spans.held_out
            margins = [] if seen else list(span_margins(self._spans, question, candidates))
            if features and (seen or margins):
                features |= {SPAN_MARGIN: margins[-1]} if margins else {}
                yield Example(kind, setting, group, question, bool(row["answerable"]), features, passage, seen)


def with_near_misses(examples: Sequence[Example]) -> set[str]:
    """The articles that have questions of both kinds; the others would teach topics."""
    return {one.group for one in examples if not one.answerable}


def _by(rows: Iterable[dict[str, Any]], field: str) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[field], []).append(row)
    return groups


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
