"""`switchyard ingest`: files and folders into the documents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer
from rich.console import Console

from agent.settings import Settings
from server.cli.adding import Added, add_one
from server.cli.backend import Json, open_backend
from server.cli.failures import fail, reported_failures
from server.cli.sources import is_wanted, open_source
from server.cli.sync import SyncOptions, sync
from server.cli.terminal import notices, output, progress_bar
from tools.knowledge.parsers.detect import EXTENSIONS

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
) -> None:
    """Add files and folders to the documents that answers come from. The same file twice is the same document.

    Folders are searched through for PDF, DOCX, HTML, Markdown, text, CSV and EML files. With --sync only what is new
    or changed is read, and a changed file takes the place of its earlier version. Exits with 1 when a file could not be
    read; `switchyard failed` lists those.

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
            added = asyncio.run(_sync(source, fields, SyncOptions(delete, backfill), output()))
        else:
            added = asyncio.run(_ingest(_found(paths or []), fields, output()))
    if added.failed:
        raise typer.Exit(1)


def _found(paths: Sequence[Path]) -> list[Path]:
    files = list(dict.fromkeys(file for path in paths for file in _files(path)))
    if not files:
        fail(f"No file that can be read: {', '.join(map(str, paths))} (looked for {' '.join(sorted(EXTENSIONS))}).")
    return files


def _files(path: Path) -> Iterator[Path]:
    """A file as it is; of a folder, all files of known kinds that are not hidden."""
    if path.is_file():
        yield path
        return
    for found in sorted(path.rglob("*")):
        if is_wanted(PurePosixPath(found.relative_to(path).as_posix())) and found.is_file():
            yield found


async def _ingest(files: Sequence[Path], fields: Json, console: Console) -> Added:
    added = Added()
    async with open_backend(Settings(), notices()) as backend:
        with progress_bar(console, "Indexing") as progress:
            for file in progress.track(files):
                added += await add_one(backend, str(file), file.name, file.read_bytes, fields, progress.console)
    _summarise(added, console)
    return added


async def _sync(place: str, fields: Json, options: SyncOptions, console: Console) -> Added:
    source = open_source(place)
    async with open_backend(Settings(), notices()) as backend:
        added = await sync(backend, source, fields, options, console)
    _summarise(added, console)
    return added


def _summarise(added: Added, console: Console) -> None:
    console.print(f"{added.indexed} indexed ({added.chunks} chunks), {added.failed} failed.", style="bold")
