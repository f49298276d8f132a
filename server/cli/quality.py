"""The checks after a batch, on the terminal."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console

from server.cli.backend import Backend, Json
from tools.errors import InputError


@asynccontextmanager
async def checked_batch(
    backend: Backend, collection: str, probes: Sequence[str], console: Console
) -> AsyncGenerator[None]:
    """Ask probe queries before and after the block, check the collection and print what came of it."""
    batch = await backend.start_ingestion({"collection": collection, "probes": list(probes)})
    yield
    _print_report((await backend.finish_ingestion(batch["ingestion_id"]))["report"], console)


def read_probes(file: Path | None) -> list[str]:
    """The queries of a file, one a line.

    Raises:
        InputError: `bad_encoding`, when it is not UTF-8.
    """
    if file is None:
        return []
    try:
        return [line.strip() for line in file.read_text("utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise InputError(f"{file} is not valid UTF-8 text.", code="bad_encoding") from None


def _print_report(report: Json, console: Console) -> None:
    counts, probes = report["counts"], report["probes"]
    same = sum(probe["before"] == probe["after"] for probe in probes)
    asked = f", {same} of {len(probes)} probe queries find the same documents" if probes else ""
    duplicates = f"{counts['duplicate_rate']:.0%} duplicates"
    console.print(
        f"Collection: {counts['indexed']} documents, {counts['chunks_in_index']} chunks, {duplicates}{asked}."
    )
    for problem in report["problems"]:
        console.print(f"! {problem['message']}", style="yellow", soft_wrap=True, markup=False)
