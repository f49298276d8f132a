"""`evaluate`: an adapter's metrics, intervals, baselines and slices on rows that it has not seen."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from finetune.base import Base
from finetune.bulk import compare, score_in_bulk
from finetune.calibrate import Decision, for_deployed_rate
from finetune.evaluation.baselines import base_prompts, has_transactions, simple_methods
from finetune.evaluation.consistency import consistency, paraphrased
from finetune.evaluation.explanations import Speaker, judge_explanations
from finetune.evaluation.metrics import Scored, intervals, measure
from finetune.evaluation.plots import save_plots
from finetune.evaluation.significance import against
from finetune.rows import Row, rows_sha256
from finetune.scoring import Scorer, Scores, open_scorer
from finetune.task import TRAINING_NAME, AdapterTask, load_task
from finetune.training.adapter import WEIGHTS_NAME
from finetune.training.machine import Memory, git_commit
from tools.files import file_sha256
from tools.fraud.calibration import Calibration

_LATENCY_ROWS = 30
_PLAIN_ROWS = 60
_BULK_ROWS = 600
_SLICES = ("kind", "band", "scenario")
_SMALLEST_SLICE = 10
_LONGEST_PROMPT = 4096
_UNCALIBRATED = Decision(Calibration(), 0.5)


@dataclass(frozen=True)
class Request:
    """What to evaluate. `train` are the rows that the adapter was trained on, for baselines that learn."""

    adapter: Path
    rows: Sequence[Row]
    base: Base
    train: Sequence[Row] | None = None
    with_base: bool = True
    deployed_rate: float | None = None
    threshold: float | None = None


def evaluate(request: Request, out: Path) -> dict[str, Any]:
    """Write `out` (JSON) and plots beside it; return the report.

    Raises RowsError for unknown labels or over-length rows, RecipeError for a folder that is no adapter of this base or
    a deployed rate that its calibration cannot be corrected for.
    """
    memory = Memory()
    task = _adjusted(load_task(request.adapter), request)
    truth = [task.labels.index(row.label) for row in request.rows]
    scorer = open_scorer(request.adapter, task, request.base)
    scores = scorer.score([row.text for row in request.rows])
    scored = task.decision.apply(scores.logits, truth)
    report: dict[str, Any] = {
        "n": len(truth),
        **measure(scored),
        "consistency": _consistency(scorer, task, request.rows, scored),
        "parse_failures": int((~scores.parsed).sum()),
        "explanations": _explanations(task, request.rows, scored),
        "latency_ms": _latency(scorer, request.rows),
        "intervals": intervals(scored),
        "baselines": {},
        "slices": _slices(request.rows, scored),
        "throughput": _throughput(scorer, task, scores, request.rows),
        "peak_memory_mb": memory.peak_mb(),
        "adapter": _about(request, task),
        "training": _training(request.adapter),
        "rows": _rows_of(request.rows, scored),
    }
    del scorer
    for name, baseline in _baselines(request, task, truth).items():
        report["baselines"][name] = {
            **measure(baseline),
            "intervals": intervals(baseline),
            **against(scored, baseline),
        }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    save_plots(scored, task.threshold, out.parent / f"{out.stem}-plots")
    return report


def _adjusted(task: AdapterTask, request: Request) -> AdapterTask:
    calibration = task.calibration
    if request.deployed_rate is not None:
        calibration = for_deployed_rate(calibration, request.deployed_rate, len(task.classes))
    threshold = task.threshold if request.threshold is None else request.threshold
    return task.model_copy(update={"calibration": calibration, "threshold": threshold})


def _baselines(request: Request, task: AdapterTask, truth: Sequence[int]) -> dict[str, Scored]:
    found = simple_methods(request.rows, truth, request.train, task.labels, task.levels)
    if request.with_base:
        for name, prompt in base_prompts(task.prompt, request.train, task.labels).items():
            bare = Scorer(request.base, prompt, _LONGEST_PROMPT).score([row.text for row in request.rows])
            found[name] = _UNCALIBRATED.apply(bare.logits, truth)
    return found


def _consistency(scorer: Scorer, task: AdapterTask, rows: Sequence[Row], scored: Scored) -> float | None:
    told = paraphrased(rows)
    if not told:
        return None
    logits = scorer.score([text for _, text in told]).logits
    return consistency(task, scored.decided.tolist(), [at for at, _ in told], logits)


def _explanations(task: AdapterTask, rows: Sequence[Row], scored: Scored) -> dict[str, Any] | None:
    if not (task.labels.binary and has_transactions(rows)):
        return None
    return judge_explanations(Speaker(task.words[0], task.base_name, task.task), rows, scored)


def _latency(scorer: Scorer, rows: Sequence[Row]) -> dict[str, float]:
    """Milliseconds of one row at a time, nothing cached."""
    taken = [1000 * scorer.score_one_by_one([row.text]).seconds for row in rows[:_LATENCY_ROWS]]
    p50, p95 = np.quantile(taken, [0.5, 0.95])
    return {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}


def _slices(rows: Sequence[Row], scored: Scored) -> dict[str, dict[str, Any]]:
    """Metrics of the rows that share a kind, a band or a scenario, where there are at least ten."""
    members: dict[str, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        for column in _SLICES:
            if isinstance(value := row.attributes.get(column), str):
                members[f"{column}={value}"].append(at)
    return {
        name: {"n": len(places), **measure(scored.take(np.array(places)))}
        for name, places in sorted(members.items())
        if len(places) >= _SMALLEST_SLICE
    }


def _throughput(scorer: Scorer, task: AdapterTask, exact: Scores, rows: Sequence[Row]) -> dict[str, float | str]:
    """Rows a second in bulk, its own check included, beside the same model asked row by row in float32.

    `exact` are the rows' float32 scores, which the bulk's are held against. Some hundred rows tell as much as all; the
    rows one by one come half before and half after, since a machine's speed changes with what else it does.
    """
    some = [row.text for row in rows[:: max(1, len(rows) // _PLAIN_ROWS)]]
    before = scorer.score_one_by_one(some[::2]).seconds
    many = list(range(0, len(rows), math.ceil(len(rows) / _BULK_ROWS)))
    bulk = score_in_bulk(scorer, task.decision, [rows[at].text for at in many])
    plain = len(some) / (before + scorer.score_one_by_one(some[1::2]).seconds)
    in_bulk = len(many) / bulk.scores.seconds
    parity = compare(replace(exact, logits=exact.logits[many]), bulk.scores, task.decision)
    return {
        "rows": len(many),
        "rows_per_s": round(in_bulk, 2),
        "row_by_row_per_s": round(plain, 2),
        "ratio": round(in_bulk / plain, 2),
        "tokens_per_s": round(bulk.scores.tokens / bulk.scores.seconds, 1),
        "seconds": round(bulk.scores.seconds, 2),
        "precision": bulk.precision,
        "label_agreement": round(parity.label_agreement, 4),
        "median_difference": round(parity.median_difference, 6),
    }


def _about(request: Request, task: AdapterTask) -> dict[str, Any]:
    return {
        "folder": request.adapter.name,
        "weights_sha256": file_sha256(request.adapter / WEIGHTS_NAME),
        "task": task.task,
        "classes": task.classes,
        "base": task.base_name,
        "base_sha256": task.base_sha256,
        "data_sha256": rows_sha256(request.rows),
        "train_sha256": task.data_sha256,
        "threshold": task.threshold,
        "git_commit": git_commit(),
    }


def _training(folder: Path) -> dict[str, Any] | None:
    """What training said of itself: recipe, rows, seconds, tokens a second, memory."""
    try:
        return json.loads((folder / TRAINING_NAME).read_text("utf-8"))
    except FileNotFoundError:
        return None


def _rows_of(rows: Sequence[Row], scored: Scored) -> list[dict[str, Any]]:
    """Truth, decision and probabilities by row, for `compare`. No text: reports are shared more widely than data."""
    return [
        {"number": row.number, "truth": int(truth), "decided": int(decided), "probabilities": np.round(p, 6).tolist()}
        for row, truth, decided, p in zip(rows, scored.truth, scored.decided, scored.probabilities, strict=True)
    ]
