"""`switchyard ingest`: files and folders into the documents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from agent.settings import Settings
from server.cli.backend import Backend, Json, open_backend
from server.cli.failures import fail, reported_failures
from server.cli.terminal import notices, output, progress_bar
from tools.errors import InputError
from tools.knowledge.parsers.detect import EXTENSIONS


class _Chunking(StrEnum):
    RECURSIVE = "recursive"
    FIXED = "fixed"
    SEMANTIC = "semantic"


def ingest(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files and folders.")],
    collection: Annotated[str, typer.Option(help="The collection to add them to.")] = "default",
    chunking: Annotated[_Chunking, typer.Option(help="How documents are cut.")] = _Chunking.RECURSIVE,
) -> None:
    """Add files and folders to the documents that answers come from. The same file twice is the same document.

    Folders are searched through for PDF, DOCX, HTML, Markdown, text, CSV and EML files. Exits with 1 when a file could
    not be read.

    Example: switchyard ingest policies/ handbook.pdf
    """
    with reported_failures():
        files = list(dict.fromkeys(file for path in paths for file in _files(path)))
        if not files:
            fail(f"No file that can be read: {', '.join(map(str, paths))} (looked for {' '.join(sorted(EXTENSIONS))}).")
        failures = asyncio.run(_ingest(files, {"collection": collection, "chunking": chunking.value}, output()))
    if failures:
        raise typer.Exit(1)


def _files(path: Path) -> Iterator[Path]:
    """A file as it is; of a folder, all files of known kinds that are not hidden."""
    if path.is_file():
        yield path
        return
    for found in sorted(path.rglob("*")):
        hidden = any(part.startswith(".") for part in found.relative_to(path).parts)
        if found.suffix.lower() in EXTENSIONS and found.is_file() and not hidden:
            yield found


async def _ingest(files: Sequence[Path], fields: Json, console: Console) -> int:
    """Add the files one after the other; returns how many failed."""
    added = chunks = 0
    async with open_backend(Settings(), notices()) as backend:
        with progress_bar(console, "Indexing") as progress:
            for file in progress.track(files):
                count = await _add(backend, file, fields, progress.console)
                added += count is not None
                chunks += count or 0
    failed = len(files) - added
    console.print(f"{added} indexed ({chunks} chunks), {failed} failed.", style="bold")
    return failed


async def _add(backend: Backend, file: Path, fields: Json, console: Console) -> int | None:
    """Add a file and say what came of it; returns its number of chunks."""
    try:
        content = await asyncio.to_thread(file.read_bytes)
        document = await backend.add_file(file.name, content, fields)
    except (InputError, OSError) as error:
        reason = error.message if isinstance(error, InputError) else error.strerror
        console.print(Text.assemble(("✗ ", "red"), str(file), (f"  {reason}", "red")), soft_wrap=True)
        return None
    detail = f"  {document['chunks']} chunk{'' if document['chunks'] == 1 else 's'}"
    console.print(Text.assemble(("✓ ", "green"), str(file), (detail, "dim")), soft_wrap=True)
    return document["chunks"]
