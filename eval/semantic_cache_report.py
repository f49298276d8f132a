"""Measures whether likeness tells when one answer serves two questions: `python -m eval.semantic_cache_report`.

A semantic cache would answer a question with what was found for a similar one whose numbers, names and negations agree.
Counts, over labelled pairs and over the golden questions, which pairs such a cache would take for the same. Writes
`docs/results/semantic-cache.json` and the table in the decision record about it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from agent.models.files import embedding_folder
from eval.cases import GOLDEN, load_cases
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.words import word_list
from tools.ports import Embedder

_ROOT = Path(__file__).parents[1]
_PAIRS = Path(__file__).with_name("question_pairs.yaml")
_RESULT = _ROOT / "docs" / "results" / "semantic-cache.json"
_RECORD = _ROOT / "docs" / "decisions" / "0012-semantic-cache.md"
_CACHE = Path(".switchyard/cache")
_THRESHOLDS = (0.80, 0.85, 0.90, 0.95, 0.98)
_NEGATIONS = frozenset("not no never none neither nor without cannot except unless t".split())
_FILE = TypeAdapter(dict[str, list[tuple[str, str]]])

Pair = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """Which share of the pairs a threshold takes for the same, among those that are and those that are not."""

    threshold: float
    same: float
    different: float


@dataclass(frozen=True)
class Report:
    """The figures. No different pair is above `safe_threshold`; `same_at_safe` is the share of the same that is."""

    same_pairs: int
    different_pairs: int
    golden_pairs: int
    auroc: float
    rows: Sequence[Row]
    safe_threshold: float
    same_at_safe: float
    golden_highest: float


def main() -> None:
    """Measure, print and write."""
    report = measure(MiniLMEmbedder(embedding_folder(_CACHE)))
    text = TypeAdapter(Report).dump_json(report, indent=2).decode()
    _RESULT.write_text(text + "\n", "utf-8")
    _RECORD.write_text(filled(_RECORD.read_text("utf-8"), report), "utf-8")
    print(text)


def measure(embedder: Embedder) -> Report:
    """Judge every pair by the cosine of its embeddings."""
    pairs = labelled_pairs()
    same, different = (_likeness(embedder, pairs[kind]) for kind in ("same", "different"))
    golden = golden_pairs()
    across = _likeness(embedder, golden)
    safe = round(max(different), 4)
    return Report(
        same_pairs=len(same),
        different_pairs=len(different),
        golden_pairs=len(golden),
        auroc=_auroc(same, different),
        rows=[Row(threshold, _share(same, threshold), _share(different, threshold)) for threshold in _THRESHOLDS],
        safe_threshold=safe,
        same_at_safe=round(sum(likeness > safe for likeness in same) / len(same), 3),
        golden_highest=round(max(across), 4),
    )


def labelled_pairs() -> dict[str, list[Pair]]:
    """The pairs that one answer serves (`same`) and those that it does not (`different`)."""
    return _FILE.validate_python(yaml.safe_load(_PAIRS.read_text("utf-8")))


def golden_pairs() -> list[Pair]:
    """Golden questions that agree in marks and need different answers: no fact of one is among the other's."""
    cases = [case for case in load_cases(GOLDEN, quick=False) if case.kind == "knowledge" and len(case.turns) == 1]
    facts = {case.id: {fact.casefold() for wanted in case.expect.facts for fact in wanted} for case in cases}
    apart = [(a.turns[0], b.turns[0]) for a, b in combinations(cases, 2) if not facts[a.id] & facts[b.id]]
    return [pair for pair in apart if agrees(*pair)]


def agrees(a: str, b: str) -> bool:
    """Whether the numbers, names and negations of two questions are the same."""
    return _marks(a) == _marks(b)


def filled(record: str, report: Report) -> str:
    """The decision record with its table written anew."""
    return re.sub(
        r"(<!-- figures -->\n).*?(<!-- /figures -->)", lambda m: m[1] + _table(report) + m[2], record, flags=re.DOTALL
    )


def _marks(question: str) -> frozenset[str]:
    first, *words = word_list(question)
    names = {word for word in words if word[0].isupper()}
    said = {word.lower() for word in (first, *words)}
    return frozenset(names | (said & _NEGATIONS) | {word for word in said if any(map(str.isdigit, word))})


def _likeness(embedder: Embedder, pairs: Sequence[Pair]) -> list[float]:
    """The cosine of each pair."""
    return [float(embedder.embed_query(a) @ embedder.embed_query(b)) for a, b in pairs]


def _share(likeness: Sequence[float], threshold: float) -> float:
    return round(sum(one >= threshold for one in likeness) / len(likeness), 3)


def _auroc(same: Sequence[float], different: Sequence[float]) -> float:
    """The chance that a pair of the same question is more alike than one of different questions; ties count half."""
    won = sum((a > b) + (a == b) / 2 for a in same for b in different)
    return round(won / (len(same) * len(different)), 3)


def _table(report: Report) -> str:
    lines = [
        "| cosine of at least | same question: answered from the cache | different question: answered wrongly |",
        "| --- | --- | --- |",
        *(f"| {row.threshold:.2f} | {row.same:.0%} | {row.different:.0%} |" for row in report.rows),
        f"| above {report.safe_threshold:.3f} | {report.same_at_safe:.0%} | 0% |",
        "",
        f"Written pairs: {report.same_pairs} that one answer serves, {report.different_pairs} that it does not; AUROC"
        f" {report.auroc:.3f}.",
        f"Among {report.golden_pairs:,} pairs of golden questions that agree in marks and need different answers,"
        f" the closest reach {report.golden_highest:.3f}.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
