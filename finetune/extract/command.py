"""`python -m finetune extract`: from rows to a folder that the extract role loads."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import torch
import typer

from finetune.base import Base, load_model, load_tokenizer
from finetune.errors import ExportError
from finetune.export.gguf_lora import write_gguf_lora
from finetune.extract.rows import FieldRow, examples, split
from finetune.extract.train import ExtractRecipe, add_field_adapter, train, validation_loss
from finetune.reader.train import every
from tools.extraction.adapter import ADAPTER_NAME, MANIFEST_NAME, TASK, FieldAdapterManifest, prompt_sha256
from tools.extraction.ask import PROMPT
from tools.files import file_sha256, write_atomically
from tools.fraud.manifest import WeightsFile

_TELL_EVERY_S = 15.0


@dataclass(frozen=True)
class ExtractJob:
    """What to train on, how, and where the result goes. `sources` says where the rows are from, for the manifest."""

    rows: Sequence[FieldRow]
    base: Base
    out: Path
    recipe: ExtractRecipe
    sources: Sequence[str]
    threads: int | None = None


def train_extract(job: ExtractJob) -> FieldAdapterManifest:
    """Train, write the adapter for PEFT and llama.cpp to `job.out`, and its manifest, which is returned.

    Raises:
        RowsError: rows have too many tokens.
        ExportError: llama.cpp cannot serve an adapter of this base.
    """
    if job.base.gguf is None:
        raise ExportError(["the base is no GGUF, so llama.cpp cannot serve it"])
    if job.threads is not None:
        torch.set_num_threads(job.threads)
    started = monotonic()
    tokenizer = load_tokenizer(job.base)
    shown, kept = (examples(tokenizer, rows, job.recipe.max_length) for rows in split(job.rows))
    typer.echo(f"{len(shown)} rows, {sum(one.length for one in shown)} tokens; {len(kept)} rows are to validate with")
    model = add_field_adapter(load_model(job.base), job.recipe)
    steps = train(model, shown, job.recipe, every(_TELL_EVERY_S, _tell_step))
    loss = validation_loss(model, kept, bf16=job.recipe.bf16)
    _save(model, job)
    manifest = _manifest(job, min(len(shown), steps * job.recipe.batch_size), round(monotonic() - started), loss)
    write_atomically(job.out / MANIFEST_NAME, manifest.model_dump_json(indent=1) + "\n")
    return manifest


def _save(model: Any, job: ExtractJob) -> None:
    assert job.base.gguf is not None
    job.out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(str(job.out))
    (job.out / "README.md").unlink(missing_ok=True)
    write_gguf_lora(job.out, job.base.gguf, job.out / ADAPTER_NAME)


def _manifest(job: ExtractJob, rows: int, seconds: int, loss: float | None) -> FieldAdapterManifest:
    sha256 = file_sha256(job.out / ADAPTER_NAME)
    digest = hashlib.sha256("".join(row.model_dump_json() for row in job.rows).encode())
    return FieldAdapterManifest(
        name=f"{TASK}@{sha256[:8]}",
        base=WeightsFile(name=job.base.path.name, sha256=job.base.sha256),
        adapter=WeightsFile(name=ADAPTER_NAME, sha256=sha256),
        prompt=PROMPT,
        prompt_sha256=prompt_sha256(),
        data_sha256=digest.hexdigest(),
        sources=tuple(job.sources),
        rows=rows,
        recipe=asdict(job.recipe),
        seconds=seconds,
        validation_loss=None if loss is None else round(loss, 4),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _tell_step(step: int, steps: int, loss: float) -> None:
    typer.echo(f"step {step}/{steps}, loss {loss:.3f}", err=True)
