"""`python -m finetune forgetting`: open the adapter and its base, score, write the report."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from finetune.base import Base
from finetune.errors import RecipeError
from finetune.forgetting.measure import PASSES, Likelihoods, Lines, encode_lines, score_states
from finetune.forgetting.page import write_page
from finetune.forgetting.pairs import PER_KIND, make_pairs
from finetune.forgetting.report import summarise
from finetune.forgetting.texts import own_texts, packaged_texts
from finetune.task import load_task
from finetune.training.adapter import WEIGHTS_NAME
from finetune.training.machine import Memory
from tools.files import file_sha256

LIMIT_POINTS = 2.0


@dataclass(frozen=True)
class Question:
    """Which adapter is measured on what: pairs of a kind, their seed, and more texts than the packaged ones."""

    adapter: Path
    base: Base
    per_kind: int = PER_KIND
    seed: int = 0
    texts: Sequence[Path] = ()
    limit: float = LIMIT_POINTS
    threads: int | None = None


def measure_forgetting(question: Question, out: Path) -> dict[str, Any]:
    """Score with the adapter on and off; write the report (JSON) to `out` and the page beside it.

    Raises RecipeError when the folder is no adapter or was trained on another base, RowsError for an unusable text.
    """
    started = time.perf_counter()
    identity = _identity(question)
    texts = {**packaged_texts(), **own_texts(question.texts)}
    if question.threads is not None:
        torch.set_num_threads(question.threads)
    memory = Memory()
    pairs = make_pairs(question.per_kind, question.seed)
    lines = encode_lines(question.base, pairs, texts)
    scored = _score(question, lines)
    report = {
        "adapter": identity,
        "seed": question.seed,
        **summarise(pairs, lines, scored, question.limit),
        "seconds": round(time.perf_counter() - started, 1),
        "peak_memory_mb": memory.peak_mb(),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    out.with_suffix(".md").write_text(write_page(report), encoding="utf-8")
    return report


def _identity(question: Question) -> dict[str, str]:
    task = load_task(question.adapter)
    if task.base_sha256 != question.base.sha256:
        raise RecipeError(
            f"The adapter in {question.adapter} was trained on {task.base_name} ({task.base_sha256[:12]}), not on "
            f"{question.base.name} ({question.base.sha256[:12]}). Name its base with --base."
        )
    weights = question.adapter / WEIGHTS_NAME
    if not weights.is_file():
        raise RecipeError(f"{question.adapter} has no {WEIGHTS_NAME}: its training has not finished. Run train again.")
    return {
        "task": task.task,
        "base": task.base_name,
        "base_sha256": task.base_sha256,
        "sha256": file_sha256(weights),
        "data_sha256": task.data_sha256,
    }


def _score(question: Question, lines: Lines) -> dict[str, Likelihoods]:
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f}%"), TimeRemainingColumn()
    with Progress(*columns, console=Console(file=sys.stderr)) as shown:
        bar = shown.add_task("adapter off, on, off again", total=PASSES * lines.count)
        return score_states(question.adapter, question.base, lines, lambda done: shown.advance(bar, done))
