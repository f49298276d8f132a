"""`python -m finetune reader`: from rows to a folder that the knowledge route loads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import torch
import typer

from agent.models.files import EMBEDDING_WEIGHTS, TOKENIZER
from finetune.reader.evaluate import evaluate
from finetune.reader.export import export
from finetune.reader.rows import ReadingRow, held_out_titles
from finetune.reader.train import ReaderRecipe, every, examples, train
from finetune.reader.written import WRITTEN_SOURCE, written_rows
from tools.files import write_atomically
from tools.knowledge.span_reader import MANIFEST_FILE, SpanReader, reader_tokenizer

_TELL_EVERY_S = 15.0


@dataclass(frozen=True)
class ReaderJob:
    """What to train on beside the rows of our own, how, and where the result goes.

    `sources` says where the rows are from, for the manifest.
    """

    rows: Sequence[ReadingRow]
    out: Path
    recipe: ReaderRecipe
    sources: Sequence[str]
    threads: int | None = None


def train_reader(job: ReaderJob) -> dict[str, Any]:
    """Train, export, measure what was exported on the documents held out; returns the manifest, which is written.

    Raises:
        ModelFileError: a packaged model file is missing or corrupt.
    """
    if job.threads is not None:
        torch.set_num_threads(job.threads)
    started = monotonic()
    tokenizer = reader_tokenizer(TOKENIZER.verify())
    written = written_rows() if job.recipe.written else []
    held_out = held_out_titles(job.rows) | held_out_titles(written)
    shown = examples(_without(job.rows, held_out), _without(written, held_out), job.recipe, tokenizer)
    base = EMBEDDING_WEIGHTS.verify()
    typer.echo(f"{len(shown)} examples; {len(held_out)} documents are held out")
    model = train(base.parent, shown, job.recipe, every(_TELL_EVERY_S, _tell_step))
    export(model, job.out)
    reader = SpanReader(job.out, base, tokenizer)
    kept = [row for row in job.rows if row.title in held_out]
    with_near_misses = {row.title for row in kept if not row.answerable}
    manifest = {
        "version": reader.version,
        "base_sha256": EMBEDDING_WEIGHTS.sha256,
        "date": datetime.now(UTC).date().isoformat(),
        "recipe": asdict(job.recipe),
        "sources": [*job.sources, *([WRITTEN_SOURCE] if written else [])],
        "examples": len(shown),
        "seconds": round(monotonic() - started),
        "held_out": sorted(held_out),
        "measured": {
            "documents with near misses": evaluate(reader, [row for row in kept if row.title in with_near_misses]),
            "other documents": evaluate(reader, [row for row in kept if row.title not in with_near_misses]),
            "documents of our own": evaluate(reader, [row for row in written if row.title in held_out]),
        },
    }
    write_atomically(job.out / MANIFEST_FILE, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    return manifest


def _without(rows: Sequence[ReadingRow], titles: frozenset[str]) -> list[ReadingRow]:
    return [row for row in rows if row.title not in titles]


def _tell_step(step: int, steps: int, loss: float) -> None:
    typer.echo(f"step {step}/{steps}, loss {loss:.3f}", err=True)
