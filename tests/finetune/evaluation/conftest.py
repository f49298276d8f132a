"""A small report with and without what newer versions of `evaluate` store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finetune.evaluation.metrics import Scored, binary, intervals, measure
from finetune.evaluation.significance import against

TRUTH = [0, 0, 0, 1, 1, 1, 1, 1, 0, 1] * 12


def scored(noise: float, seed: int = 0) -> Scored:
    """Probabilities that follow the truth but for noise."""
    drawn = np.random.default_rng(seed).normal(0, noise, len(TRUTH))
    return binary(TRUTH, np.clip(0.8 - 0.6 * np.array(TRUTH) + drawn, 0.01, 0.99), 0.5)


@pytest.fixture
def make_report(tmp_path: Path, few_resamples: None) -> Callable[..., Path]:
    """Writes a report of an adapter beside a poor, a good and an equal baseline."""

    def write(name: str = "mine", *, paired: bool = True, rows: bool = True, data: str = "d") -> Path:
        adapter = scored(0.15)
        baselines: dict[str, Any] = {}
        others = {"majority": scored(9), "tfidf_lr": scored(0.01), "gradient_boosting": scored(0.15, 1)}
        for other, answers in others.items():
            found = against(adapter, answers)
            kept = found if paired else {"mcnemar_p": found["mcnemar_p"]}
            baselines[other] = {**measure(answers), "intervals": intervals(answers, resamples=50), **kept}
        report: dict[str, Any] = {
            "n": len(TRUTH),
            **measure(adapter),
            "intervals": intervals(adapter, resamples=50),
            "consistency": None,
            "parse_failures": 0,
            "explanations": None,
            "latency_ms": {"p50": 1.0, "p95": 2.0},
            "peak_memory_mb": 3,
            "throughput": {
                "rows_per_s": 1.0,
                "precision": "int8",
                "ratio": 2.0,
                "label_agreement": 1.0,
                "median_difference": 0.0,
            },
            "baselines": baselines,
            "slices": {},
            "training": None,
            "adapter": {
                "base": "tiny",
                "task": "fraud",
                "classes": ["FRAUD", "LEGITIMATE"],
                "threshold": 0.5,
                "data_sha256": data,
            },
        }
        if rows:
            answers = zip(adapter.truth, adapter.decided, adapter.probabilities, strict=True)
            report["rows"] = [
                {"number": at, "truth": int(truth), "decided": int(decided), "probabilities": found.tolist()}
                for at, (truth, decided, found) in enumerate(answers)
            ]
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(report), encoding="utf-8")
        return path

    return write
