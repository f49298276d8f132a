"""The commands that train many adapters to find out what a setting is worth: `sweep` and `ablate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finetune.console import Data, cache_folder, reported_failures


def sweep(
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="Folder of the sweep; an interrupted one goes on from it.")],
    task: Annotated[str, typer.Option("--task", help="The adapter's role.")] = "fraud",
    val: Annotated[Path | None, typer.Option("--val", help="Validation rows; default: a part of --data.")] = None,
    plan: Annotated[Path | None, typer.Option("--plan", help="Stages as YAML; a packaged plan by default.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="The recipe to start from.")] = None,
    base: Annotated[str | None, typer.Option("--base", help="A .gguf file or a Hugging Face folder.")] = None,
    max_trials: Annotated[int | None, typer.Option(min=1, help="Stop when so many trials are finished.")] = None,
    max_rows: Annotated[int | None, typer.Option(min=1, help="Train on about so many of the rows.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default: all cores.")] = None,
    positive: Annotated[str | None, typer.Option(help="The label to find.")] = None,
    docs: Annotated[Path | None, typer.Option(help="Also write the page into this documentation folder.")] = None,
) -> None:
    """Try ranks, then learning rates, epochs, alpha and batch sizes, each with the best of the stages before."""
    with reported_failures():
        from finetune.recipe import load_recipe
        from finetune.sweep.plan import load_plan
        from finetune.sweep.results import PAGE_NAME, publish, write_results
        from finetune.sweep.run import Sweep, sampled_job
        from finetune.sweep.run import sweep as run

        recipe = load_recipe(config, threads=threads)
        job = sampled_job(data, val, max_rows, recipe=recipe, base=base, task=task, positive=positive, out=out)
        wanted = Sweep(job, load_plan(plan), max_trials)
        trials = run(wanted, lambda trials: write_results(wanted, trials))
        if docs is not None:
            publish(wanted, trials, docs)
        typer.echo((out / PAGE_NAME).read_text("utf-8"))


def ablate(
    data: Data,
    test: Annotated[Path, typer.Option("--test", help="Rows to measure on, trained on by none.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the study; an interrupted one goes on from it.")],
    task: Annotated[str, typer.Option("--task", help="The adapter's role.")] = "fraud",
    val: Annotated[Path | None, typer.Option("--val", help="Validation rows; default: a part of --data.")] = None,
    variants: Annotated[Path | None, typer.Option(help="YAML: a name and changed settings each.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="The recipe that the variants change.")] = None,
    base: Annotated[str | None, typer.Option("--base", help="A .gguf file or a Hugging Face folder.")] = None,
    max_rows: Annotated[int | None, typer.Option(min=1, help="Train on about so many of the rows.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default: all cores.")] = None,
    positive: Annotated[str | None, typer.Option(help="The label to find.")] = None,
    docs: Annotated[Path | None, typer.Option(help="Also write the page into this documentation folder.")] = None,
) -> None:
    """Measure what each part of the recipe brings: schedule, accumulation, precision, early stopping, averaging, ..."""
    with reported_failures():
        from finetune.ablation.page import PAGE_NAME, publish, write_results
        from finetune.ablation.study import Study, load_variants, study
        from finetune.recipe import load_recipe
        from finetune.rows import read_rows
        from finetune.sweep.run import sampled_job

        recipe = load_recipe(config, threads=threads)
        job = sampled_job(data, val, max_rows, recipe=recipe, base=base, task=task, positive=positive, out=out)
        wanted = Study(job, load_variants(variants), read_rows(test))
        results = study(wanted, lambda results: write_results(results, out))
        if docs is not None:
            publish(wanted, results, docs)
        typer.echo((out / PAGE_NAME).read_text("utf-8"))


def reader(
    rows: Annotated[
        list[Path],
        typer.Option("--rows", help="JSON lines with title, passage, question, answerable, answers; several files."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the reader and its manifest.")] = Path("out/reader"),
    source: Annotated[
        list[str] | None,
        typer.Option("--source", help="Where the rows are from, with their licence."),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="How often every row is shown.")] = 3,
    learning_rate: Annotated[float, typer.Option(help="At its highest.")] = 1e-3,
    rank: Annotated[int, typer.Option(min=1, help="Of the adapter that is trained.")] = 32,
    written: Annotated[int, typer.Option(min=0, help="How often the documents written for it are shown.")] = 2,
    seed: Annotated[int, typer.Option(help="The same seed gives the same reader on the same machine.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default: all cores.")] = None,
) -> None:
    """Train the reader that tells near misses: is the answer in the passage, and where?

    Documents written for it by hand (finetune/reader/written) are shown beside your rows. Every fourth document
    with unanswerable questions is held out, and the exported reader is measured on them.

    Example: python -m finetune reader --rows squad.jsonl --rows policies.jsonl --out out/reader
    """
    with reported_failures():
        from finetune.reader.command import ReaderJob, train_reader
        from finetune.reader.rows import read_reading_rows
        from finetune.reader.train import ReaderRecipe

        recipe = ReaderRecipe(epochs=epochs, learning_rate=learning_rate, rank=rank, written=written, seed=seed)
        job = ReaderJob(read_reading_rows(rows), out, recipe, source or [path.name for path in rows], threads)
        for documents, found in train_reader(job)["measured"].items():
            typer.echo(f"{documents}: {found}")


def extract(
    rows: Annotated[
        list[Path], typer.Option("--rows", help="JSON lines with document, passage and fields; several files.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the adapter and its manifest.")] = Path("out/extract"),
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Where the rows are from, with their licence.")
    ] = None,
    base: Annotated[str | None, typer.Option("--base", help="A .gguf file; default: the packaged model.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="How often every row is shown.")] = 1,
    minutes: Annotated[float | None, typer.Option(help="End in so many minutes, with the rows seen so far.")] = None,
    learning_rate: Annotated[float, typer.Option(help="At its highest.")] = 1e-3,
    rank: Annotated[int, typer.Option(min=1, help="Of the adapter.")] = 16,
    first_layer: Annotated[int, typer.Option(min=0, help="Layers below get no adapter.")] = 12,
    bf16: Annotated[bool, typer.Option(help="Compute in bfloat16; slow on a CPU without its instructions.")] = True,
    seed: Annotated[int, typer.Option(help="The same seed gives the same order of rows.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default: all cores.")] = None,
) -> None:
    """Train the adapter for fields that no reader knows: it copies a value out of a passage, or says null.

    Example: python -m finetune extract --rows rows.jsonl --out out/extract --minutes 30
    """
    with reported_failures():
        from finetune.base import open_base
        from finetune.extract.command import ExtractJob, train_extract
        from finetune.extract.rows import read_field_rows
        from finetune.extract.train import ExtractRecipe

        recipe = ExtractRecipe(
            epochs=epochs, minutes=minutes, learning_rate=learning_rate, rank=rank, first_layer=first_layer,
            bf16=bf16, seed=seed,
        )  # fmt: skip
        sources = source or [path.name for path in rows]
        job = ExtractJob(read_field_rows(rows), open_base(base, cache_folder()), out, recipe, sources, threads)
        manifest = train_extract(job)
        typer.echo(f"{manifest.name}: {manifest.rows} rows, validation loss {manifest.validation_loss}, in {out}")
