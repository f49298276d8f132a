"""Chooses the weights of the two legs: `python -m eval.retrieval.fit_fusion --data DIR`.

`DIR` holds local copies of `reading_squad2.jsonl` and `reading_policyqa.jsonl`. Half of the titles choose the weight of
BM25, the other half shows what it brings, beside the legs and reciprocal ranks. Writes `docs/results/fusion.json`
(figures, no row of the data) and the table of `docs/decisions/0019-fusion.md`; `tools/knowledge/fusion.py` holds the
weight that is used.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from agent.models.files import embedding_folder
from eval.cached_embedder import CachedEmbedder
from eval.memory_store import MemoryStore
from eval.retrieval.corpora import ARTICLES, POLICIES, Paragraph, answerable, paragraphs
from eval.retrieval.measure import DEPTH, Ranking, measure, per_question
from eval.samples import make_points
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.fusion import LEG_DEPTH, SPARSE_WEIGHT, Fuse, reciprocal_ranks, weighted_scores
from tools.knowledge.sparse import Bm25Encoder
from tools.knowledge.store import Hit, Where

_ROOT = Path(__file__).parents[2]
_RESULT = _ROOT / "docs" / "results" / "fusion.json"
_RECORD = _ROOT / "docs" / "decisions" / "0019-fusion.md"
_OUT = Path("out/fusion")
_WEIGHTS = [round(0.05 * step, 2) for step in range(2, 17)]
_QUESTIONS = 600
_PARTS = 400
_SEED = 4


@dataclass(frozen=True)
class Asked:
    """What both legs found for a question, and the point that answers it."""

    dense: Sequence[Hit]
    sparse: Sequence[Hit]
    answer: str


@dataclass(frozen=True)
class Legs:
    """Asks both legs over corpora of paragraphs."""

    embedder: CachedEmbedder
    bm25: Bm25Encoder

    def ask(self, passages: Sequence[Paragraph], questions: Sequence[tuple[str, Paragraph]]) -> Iterator[Asked]:
        """The hits of each question, with the paragraph that answers it."""
        store, texts = MemoryStore(), [f"{one.title}\n{one.text}" for one in passages]
        points = make_points("passages", texts, [{} for _ in texts], self.embedder, self.bm25)
        store.upsert("corpus", points)
        ids = {passage: point.point_id for passage, point in zip(passages, points, strict=True)}
        for question, answer in questions:
            query, terms = self.embedder.embed_query(question), self.bm25.encode_query(question)
            dense = store.search_dense("corpus", query, LEG_DEPTH, Where())
            yield Asked(dense, store.search_sparse("corpus", terms, LEG_DEPTH, Where()), ids[answer])


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data: Path = parser.parse_args().data
    embedder = CachedEmbedder(MiniLMEmbedder(embedding_folder(_OUT)), _OUT / "embeddings.npz")
    try:
        chosen_on, held_out = collect(Legs(embedder, Bm25Encoder()), data)
    finally:
        embedder.save()
    report = result(chosen_on, held_out)
    _RESULT.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    _RECORD.write_text(filled(_RECORD.read_text("utf-8"), report), "utf-8")
    print(table(report))


def collect(legs: Legs, data: Path) -> tuple[dict[str, list[Asked]], dict[str, list[Asked]]]:
    """What was asked of each kind of corpus, in two halves that share no title."""
    halves: tuple[dict[str, list[Asked]], dict[str, list[Asked]]] = ({}, {})
    for file, name in ((ARTICLES, "article"), (POLICIES, "policy")):
        asked = paragraphs(answerable(data / file))
        titles = sorted({passage.title for _, passage in asked})
        random.Random(_SEED).shuffle(titles)
        for half, kept in zip(halves, (titles[::2], titles[1::2]), strict=True):
            mine = [one for one in asked if one[1].title in kept]
            picked = random.Random(_SEED).sample(mine, min(_QUESTIONS, len(mine)))
            if file == ARTICLES:
                half["articles together"] = list(legs.ask(list(dict.fromkeys(p for _, p in mine)), picked))
            half[f"each {name} alone"] = [
                found
                for title in kept
                for found in legs.ask(
                    list(dict.fromkeys(p for _, p in mine if p.title == title)),
                    [one for one in picked if one[1].title == title],
                )
            ]
    for seed, half in enumerate(halves):
        half["parts by number"] = list(legs.ask(*catalogue(seed)))
    return halves


def catalogue(seed: int) -> tuple[list[Paragraph], list[tuple[str, Paragraph]]]:
    """A made-up list of parts that only their numbers tell apart, with questions about some."""
    rng = random.Random(seed)
    kinds, metals = "valve pump gasket bearing filter sensor relay nozzle".split(), "steel brass nylon".split()
    numbers = [
        f"{letter}{number}-{rng.randint(10, 99)}" for letter in "KMRT" for number in rng.sample(range(9999), 100)
    ]
    parts = [
        Paragraph(
            "Parts",
            f"Part {number} is a {rng.choice(kinds)} of {rng.choice(metals)} and costs {rng.randint(2, 400)} EUR. "
            f"It is kept in hall {rng.randint(1, 9)}.",
        )
        for number in numbers[:_PARTS]
    ]
    asked = rng.sample(range(len(parts)), 100)
    return parts, [(f"What does part {numbers[place]} cost?", parts[place]) for place in asked]


def result(chosen_on: Mapping[str, Sequence[Asked]], held_out: Mapping[str, Sequence[Asked]]) -> dict[str, Any]:
    """The weight that one half chooses, and nDCG@10 of every way to rank the other half."""
    by_weight = {weight: _mean(chosen_on, partial(weighted_scores, weight=weight)) for weight in _WEIGHTS}
    ways: dict[str, Fuse] = {
        "dense": lambda dense, _: [(hit.point_id, hit.score) for hit in dense],
        "sparse": lambda _, sparse: [(hit.point_id, hit.score) for hit in sparse],
        "reciprocal ranks": reciprocal_ranks,
        "weighted scores": weighted_scores,
    }
    return {
        "depth": LEG_DEPTH,
        "weight": SPARSE_WEIGHT,
        "best_weight": max(by_weight, key=lambda weight: by_weight[weight]),
        "by_weight": {f"{weight:.2f}": round(value, 4) for weight, value in by_weight.items()},
        "held_out": {
            kind: {"questions": len(asked), **{name: _ndcg(asked, fuse) for name, fuse in ways.items()}}
            for kind, asked in held_out.items()
        },
    }


def filled(record: str, report: Mapping[str, Any]) -> str:
    """The decision record with its table written anew."""
    return re.sub(
        r"(<!-- figures -->\n).*?(<!-- /figures -->)", lambda m: m[1] + table(report) + m[2], record, flags=re.DOTALL
    )


def table(report: Mapping[str, Any]) -> str:
    """The figures as Markdown."""
    ways = ("dense", "sparse", "reciprocal ranks", "weighted scores")
    lines = [["held-out half", "questions", *ways], ["---"] * 6]
    for kind, row in report["held_out"].items():
        cells = [f"{row[way]['value']:.3f} ({row[way]['low']:.3f} to {row[way]['high']:.3f})" for way in ways]
        lines.append([kind, str(row["questions"]), *cells])
    weights = ", ".join(f"{weight}: {value:.3f}" for weight, value in report["by_weight"].items())
    return (
        "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
        + f"\nnDCG@10, {report['depth']} hits a leg. Weight of BM25 in use: {report['weight']:.2f}; best on the half "
        f"that chooses: {report['best_weight']:.2f}. Mean over its kinds of corpora by weight: {weights}.\n"
    )


def _mean(kinds: Mapping[str, Sequence[Asked]], fuse: Fuse) -> float:
    return sum(float(per_question(_rankings(asked, fuse))["ndcg@10"].mean()) for asked in kinds.values()) / len(kinds)


def _ndcg(asked: Sequence[Asked], fuse: Fuse) -> dict[str, float]:
    return measure(_rankings(asked, fuse))["ndcg@10"]


def _rankings(asked: Sequence[Asked], fuse: Fuse) -> list[Ranking]:
    return [
        Ranking([point_id == one.answer for point_id, _ in fuse(one.dense, one.sparse)[:DEPTH]], 1) for one in asked
    ]


if __name__ == "__main__":
    main()
