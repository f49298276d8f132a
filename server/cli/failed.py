"""`switchyard failed`: the dead letters, why they failed, and another try."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from agent.settings import Settings
from server.cli.backend import Backend, Json, open_backend
from server.cli.failures import reported_failures
from server.cli.terminal import notices, output, progress_bar


def failed(
    retry: Annotated[bool, typer.Option("--retry", help="Try each of them again.")] = False,
) -> None:
    """List the documents that could not be read or indexed, with the reason and how often they were tried.

    With --retry they are read again from the files that were kept; exits with 1 when one fails again.

    Example: switchyard failed --retry
    """
    with reported_failures():
        left = asyncio.run(_failed(retry, output()))
    if retry and left:
        raise typer.Exit(1)


async def _failed(retry: bool, console: Console) -> int:
    """Show or retry the failed documents; returns how many are left."""
    async with open_backend(Settings(), notices()) as backend:
        documents = await backend.failed()
        if not retry:
            for document in documents:
                _show(document, document["error"]["message"], console)
            console.print(_summary(len(documents)), style="bold")
            return len(documents)
        left = 0
        with progress_bar(console, "Trying again") as progress:
            for document in progress.track(documents):
                left += not await _retry(backend, document, progress.console)
    console.print(f"{len(documents) - left} indexed, {left} failed again.", style="bold")
    return left


async def _retry(backend: Backend, document: Json, console: Console) -> bool:
    """Try a document again and say what came of it; returns whether it is indexed now."""
    answer = await backend.retry({"ids": [document["document_id"]], "collection": document["collection"]})
    for failure in answer["failed"]:
        _show(document | {"attempts": document["attempts"] + 1}, failure["message"], console)
        return False
    console.print(Text.assemble(("✓ ", "green"), document["title"]), soft_wrap=True)
    return True


def _show(document: Json, reason: str, console: Console) -> None:
    attempts = document["attempts"]
    tried = f"  tried {attempts} time{'' if attempts == 1 else 's'}, id {document['document_id']}"
    line = Text.assemble(("✗ ", "red"), document["title"], (f"  {reason}", "red"), (tried, "dim"))
    console.print(line, soft_wrap=True)


def _summary(count: int) -> str:
    return f"{count} failed. Try them again with: switchyard failed --retry" if count else "No document failed."
