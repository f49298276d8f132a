"""Corpora and queries for fitting the evidence gate: questions with their own texts, and questions that are far away.

Everything is split by title and by query, so that a held-out row shares neither its documents nor its wording with
the rows the gate was fitted on.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from tools.knowledge.stopwords import ENGLISH_STOPWORDS

Split = Literal["train", "validation", "test"]
T = TypeVar("T")

_SHARES: tuple[tuple[float, Split], ...] = ((0.55, "train"), (0.7, "validation"), (1.01, "test"))
TERSE = " (terse)"
_TERSE_WORDS = 4
_DRAWS = {"small": 12, "pool": 4, "mixed": 5}


@dataclass(frozen=True)
class Text:
    """A passage of an article or a policy."""

    title: str
    text: str


@dataclass(frozen=True)
class Query:
    """A question, the passage it was written about (if any) and whether that passage answers it."""

    text: str
    kind: str
    home: Text | None = None
    answerable: bool = False


@dataclass
class Sources:
    """One split of the reading sets by title, and of the loose queries by kind."""

    passages: dict[str, list[Text]] = field(default_factory=dict[str, list[Text]])
    questions: dict[str, list[Query]] = field(default_factory=dict[str, list[Query]])
    policies: set[str] = field(default_factory=set[str])
    loose: dict[str, list[Query]] = field(default_factory=dict[str, list[Query]])


@dataclass(frozen=True)
class Trial:
    """One corpus with the queries to put to it; `label` is 1 answered, 0 off topic, -1 on topic but not answered."""

    name: str
    passages: Sequence[Text]
    queries: Sequence[tuple[Query, int]]


def load_sources(folder: Path) -> dict[Split, Sources]:
    """Read the reading sets and query lists in `folder` and split them."""
    sources: dict[Split, Sources] = {"train": Sources(), "validation": Sources(), "test": Sources()}
    for name in ("squad2", "policyqa"):
        rows = _rows(folder / f"reading_{name}.jsonl")
        titles = _split_list({str(row["title"]) for row in rows})
        for row in rows:
            _add_question(sources[titles[row["title"]]], row, name)
    for name in ("out_of_scope", "banking"):
        queries = {str(row["text"]) for row in _rows(folder / f"queries_{name}.jsonl")}
        for text, split in _split_list(queries).items():
            sources[split].loose.setdefault(name, []).append(Query(text, name))
    return sources


def trials(sources: Sources, rng: random.Random) -> Iterator[Trial]:
    """Corpora from five passages to a whole split: single titles, parts of one, pools, mixtures."""
    articles = sorted(set(sources.passages) - sources.policies)
    policies = sorted(sources.policies)
    for title in (*articles, *policies):
        yield _trial("one title", sources, [title], rng)
    for _ in range(_DRAWS["small"]):
        yield _trial("part of a title", sources, [rng.choice(articles)], rng, most=rng.choice((5, 8, 12, 20, 30)))
    for size in (2, 3, 5, 8):
        for _ in range(_DRAWS["pool"]):
            yield _trial("several articles", sources, _some(articles, size, rng), rng)
            yield _trial("several policies", sources, _some(policies, 2 * size, rng), rng)
    for _ in range(_DRAWS["mixed"]):
        yield _trial("mixed", sources, [*_some(articles, 3, rng), *_some(policies, 8, rng)], rng)
        # Two articles stay out, so that questions about them are strangers.
        yield _trial("all but two", sources, [*_some(articles, len(articles) - 2, rng), *policies], rng)


def terse(text: str) -> str:
    """A question as a search box gets it: its first few words that carry meaning."""
    words = [word for word in text.rstrip("?!. ").split() if word.lower() not in ENGLISH_STOPWORDS]
    return " ".join(words[:_TERSE_WORDS])


def _trial(name: str, sources: Sources, titles: Sequence[str], rng: random.Random, most: int | None = None) -> Trial:
    passages = [passage for title in titles for passage in sources.passages[title]]
    passages = _some(passages, most, rng) if most else passages
    held = set(passages)
    own = [query for title in titles for query in sources.questions[title] if query.home in held]
    others = [q for title in sources.questions if title not in titles for q in sources.questions[title]]
    queries = [(query, 1) for query in _some([q for q in own if q.answerable], 60, rng)]
    queries += [(query, -1) for query in _some([q for q in own if not q.answerable], 25, rng)]
    queries += [(query, 0) for query in _some(sources.loose["out_of_scope"], 50, rng)]
    if sources.policies.isdisjoint(titles):
        # Any privacy policy answers much of what is asked about another, and banks have such policies.
        queries += [(query, 0) for query in _some(others, 45, rng)]
        queries += [(query, 0) for query in _some(sources.loose["banking"], 20, rng)]
    else:
        queries += [(query, 0) for query in _some([q for q in others if q.kind == "squad2"], 30, rng)]
    return Trial(name, passages, [(_sometimes_terse(query), label) for query, label in queries])


def _sometimes_terse(query: Query) -> Query:
    if _fraction(query.text) > 0.2 or len(terse(query.text).split()) < 2:
        return query
    return Query(terse(query.text), query.kind + TERSE, query.home, query.answerable)


def _add_question(sources: Sources, row: dict[str, Any], kind: str) -> None:
    title = str(row["title"])
    home = Text(title, str(row["passage"]))
    passages = sources.passages.setdefault(title, [])
    if home not in passages:
        passages.append(home)
    if kind == "policyqa":
        sources.policies.add(title)
    query = Query(str(row["question"]), kind, home, bool(row["answerable"]))
    sources.questions.setdefault(title, []).append(query)


def _split_list(keys: set[str]) -> dict[str, Split]:
    """Shares by rank of the digest: stable, and exact also for few keys."""
    ranked = sorted(keys, key=_fraction)
    return {
        key: next(split for limit, split in _SHARES if rank / len(ranked) < limit) for rank, key in enumerate(ranked)
    }


def _fraction(key: str) -> float:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6], "big") / 2**48


def _some(items: Sequence[T], count: int, rng: random.Random) -> list[T]:
    return rng.sample(list(items), min(count, len(items)))


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
