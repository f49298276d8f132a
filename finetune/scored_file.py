"""`score`: a file of rows in, a file of labels and probabilities out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from finetune.base import Base
from finetune.bulk import Precision, score_in_bulk
from finetune.rows import read_texts
from finetune.scoring import Scores, open_scorer
from finetune.task import AdapterTask, load_task


@dataclass(frozen=True)
class Done:
    """A scored file: its rows, the time that scoring took, and how it was computed."""

    rows: int
    seconds: float
    precision: Precision


def score_file(adapter: Path, data: Path, base: Base, out: Path) -> Done:
    """Score a file's rows with a trained adapter and write `{"row", "label", "probability"}` lines, with a bar.

    `probability` is that of the positive class, or of the chosen one among more than two. `out` appears when it is
    whole. Raises RowsError (unreadable or over-length rows), RecipeError (no adapter, or one of another base).
    """
    texts = read_texts(data)
    task = load_task(adapter)
    scorer = open_scorer(adapter, task, base)
    columns = TextColumn("Scoring"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        rows = bar.add_task("", total=len(texts))
        bulk = score_in_bulk(scorer, task.decision, texts, lambda more: bar.advance(rows, more))
    partial = out.with_name(f"{out.name}.partial")
    out.parent.mkdir(parents=True, exist_ok=True)
    partial.write_text("".join(json.dumps(line) + "\n" for line in _lines(task, bulk.scores)), encoding="utf-8")
    partial.replace(out)
    return Done(len(texts), bulk.scores.seconds, bulk.precision)


def _lines(task: AdapterTask, scores: Scores) -> Iterator[dict[str, Any]]:
    scored = task.decision.apply(scores.logits, [0] * len(scores.logits))
    for number, (label, probabilities) in enumerate(zip(scored.decided, scored.probabilities, strict=True), 1):
        shown = probabilities[0 if scored.classes == 2 else label]
        yield {"row": number, "label": task.classes[label], "probability": round(float(shown), 6)}
