"""`switchyard ingest`: files and folders into the documents."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agent.settings import Settings
from server.cli.adding import Added, add_all, add_one
from server.cli.backend import Backend, Json, open_backend
from server.cli.failures import reported_failures
from server.cli.quality import checked_batch, read_probes
from server.cli.sources import Source, find_files, open_source
from server.cli.sync import SyncOptions, sync
from server.cli.terminal import notices, output, progress_bar

_Work = Callable[[Backend, Console], Awaitable[Added]]


class _Chunking(StrEnum):
    RECURSIVE = "recursive"
    FIXED = "fixed"
    SEMANTIC = "semantic"


def ingest(
    paths: Annotated[list[Path] | None, typer.Argument(exists=True, help="Files and folders.")] = None,
    source: Annotated[str | None, typer.Option("--sync", help="A folder or bucket (s3://...) to keep up with.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="With --sync: remove documents whose file is gone.")] = False,
    backfill: Annotated[bool, typer.Option("--backfill", help="With --sync: read unchanged files again, too.")] = False,
    collection: Annotated[str, typer.Option(help="The collection to add them to.")] = "default",
    chunking: Annotated[_Chunking, typer.Option(help="How documents are cut.")] = _Chunking.RECURSIVE,
    probes: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Queries, one a line, to compare before and after."),
    ] = None,
) -> None:
    """Add files and folders to the documents that answers come from. The same file twice is the same document.

    Folders are searched through for PDF, DOCX, HTML, Markdown, text, CSV and EML files. With --sync only what is new
    or changed is read, and a changed file takes the place of its earlier version. Exits with 1 when a file could not be
    read; `switchyard failed` lists those.

    Afterwards the collection is checked: counts, empty texts, duplicates, and whether queries (--probes, or the last
    questions that were asked) find what they did before.

    Examples:

    switchyard ingest policies/ handbook.pdf

    switchyard ingest --sync policies/
    """
    if bool(paths) == (source is not None):
        raise typer.BadParameter("Give files and folders, or --sync with a folder or bucket.")
    if source is None and (delete or backfill):
        raise typer.BadParameter("--delete and --backfill go with --sync.")
    fields: Json = {"collection": collection, "chunking": chunking.value}
    with reported_failures():
        if source is not None:
            work = _synced(open_source(source), fields, SyncOptions(delete, backfill))
        else:
            work = _added(find_files(paths or []), fields)
        added = asyncio.run(_run(work, collection, read_probes(probes), output()))
    if added.failed:
        raise typer.Exit(1)


def _added(files: Sequence[Path], fields: Json) -> _Work:
    async def work(backend: Backend, console: Console) -> Added:
        with progress_bar(console, "Indexing") as progress:
            return await add_all(
                progress.track(files),
                lambda file: add_one(backend, str(file), file.name, file.read_bytes, fields, progress.console),
            )

    return work


def _synced(source: Source, fields: Json, options: SyncOptions) -> _Work:
    return lambda backend, console: sync(backend, source, fields, options, console)


async def _run(work: _Work, collection: str, probes: Sequence[str], console: Console) -> Added:
    async with open_backend(Settings(), notices()) as backend, checked_batch(backend, collection, probes, console):
        added = await work(backend, console)
        summary = f"{added.indexed} indexed ({added.chunks} chunks), {added.failed} failed."
        console.print(summary, style="bold")
    return added
