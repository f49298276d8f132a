"""Read documents with each system and put the counts into rows of figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.extraction.documents import LabelledDocument
from eval.extraction.scoring import Counts, count, f1, made_up_rate, precision, recall
from eval.extraction.systems import Reading, System
from eval.statistics import bootstrap

_BINS = 10
Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Judged:
    """A document, what was read, and the counts of each of its gold's fields."""

    document: LabelledDocument
    reading: Reading
    counts: Mapping[str, Counts]

    @property
    def exact(self) -> bool:
        """Every field is as the gold says."""
        return all(one.wrong == one.missed == 0 for one in self.counts.values())


async def judge(system: System, documents: Sequence[LabelledDocument], told: Told) -> list[Judged]:
    """Read every document. `told(name, done, total)` hears of each."""
    judged: list[Judged] = []
    for number, document in enumerate(documents):
        told(system.name, number, len(documents))
        reading = await system.read(document)
        counts = {path: count(path, gold, reading.values.get(path)) for path, gold in document.gold.items()}
        judged.append(Judged(document, reading, counts))
    return judged


def row(corpus: str, system: str, judged: Sequence[Judged]) -> dict[str, Any]:
    """All figures of a system on a corpus, as JSON."""
    seconds = [one.reading.seconds for one in judged]
    fields = sorted({(one.document.schema, path) for one in judged for path in one.counts})
    absent = _total(judged)
    return {
        "corpus": corpus, "system": system, "documents": len(judged),
        "f1": _interval(judged, _total, f1),
        "precision": _rounded(precision(_total(judged))), "recall": _rounded(recall(_total(judged))),
        "exact_documents": _share(judged, [one.exact for one in judged]),
        "absent_fields": absent.absent, "made_up": absent.made_up, "made_up_rate": _rounded(made_up_rate(absent)),
        "not_in_source": sum(one.reading.unlocated for one in judged),
        "schema_valid": _share(judged, [one.reading.valid for one in judged]),
        "calibration": calibration(judged),
        "latency_ms": {f"p{q}": round(1000 * float(np.quantile(seconds, q / 100)), 1) for q in (50, 95)},
        "by_kind": {kind: _interval([one for one in judged if one.document.schema == kind], _total, f1)
                    for kind in sorted({one.document.schema for one in judged})},
        "fields": [_field(judged, kind, path) for kind, path in fields],
    }  # fmt: skip


def calibration(judged: Sequence[Judged]) -> dict[str, Any] | None:
    """Expected calibration error, Brier score and the reliability curve of the values with a confidence."""
    pairs = [
        (confidence, one.counts[path].right == 1)
        for one in judged
        for path, confidence in one.reading.confidence.items()
        if path in one.counts
    ]
    if not pairs:
        return None
    stated = np.array([confidence for confidence, _ in pairs])
    right = np.array([float(hit) for _, hit in pairs])
    place = np.minimum((stated * _BINS).astype(int), _BINS - 1)
    curve = [
        {"stated": round(float(stated[place == b].mean()), 4), "right": round(float(right[place == b].mean()), 4),
         "n": int((place == b).sum())}
        for b in range(_BINS) if (place == b).any()
    ]  # fmt: skip
    error = sum(point["n"] * abs(point["stated"] - point["right"]) for point in curve) / len(pairs)
    brier = float(((stated - right) ** 2).mean())
    return {"n": len(pairs), "ece": round(error, 4), "brier": round(brier, 4), "curve": curve}


def misses(judged: Sequence[Judged], path: str) -> list[dict[str, Any]]:
    """What went wrong with a field: the document, what it says and what was read."""
    return [
        {"document": one.document.id, "gold": one.document.gold[path], "read": one.reading.values.get(path)}
        for one in judged
        if path in one.counts and (one.counts[path].wrong or one.counts[path].missed)
    ]


def _field(judged: Sequence[Judged], kind: str, path: str) -> dict[str, Any]:
    chosen = [one for one in judged if one.document.schema == kind and path in one.counts]
    counts = _of(path)(chosen)
    return {
        "kind": kind, "field": path, "documents": len(chosen), "present": counts.right + counts.missed,
        "absent": counts.absent, "made_up": counts.made_up, "precision": _rounded(precision(counts)),
        "recall": _rounded(recall(counts)), "f1": _interval(chosen, _of(path), f1),
    }  # fmt: skip


Tally = Callable[[Sequence[Judged]], Counts]


def _total(judged: Sequence[Judged]) -> Counts:
    return sum((counts for one in judged for counts in one.counts.values()), Counts())


def _of(path: str) -> Tally:
    return lambda judged: sum((one.counts[path] for one in judged), Counts())


def _interval(judged: Sequence[Judged], tally: Tally, figure: Callable[[Counts], float]) -> dict[str, float]:
    """A figure with its 95% interval over resampled groups of documents."""
    table = np.array([[c.right, c.wrong, c.missed] for one in judged for c in (tally([one]),)])

    def measure(rows: NDArray[np.int64]) -> float:
        right, wrong, missed = table[rows].sum(axis=0).tolist()
        return figure(Counts(right, wrong, missed))

    return bootstrap(measure, [one.document.group for one in judged])


def _share(judged: Sequence[Judged], hits: Sequence[bool]) -> dict[str, float]:
    values = np.array(hits, dtype=float)
    return bootstrap(lambda rows: float(values[rows].mean()), [one.document.group for one in judged])


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
