"""`switchyard ask`: one turn of a conversation."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from agent.settings import Settings
from server.cli.answers import Draft, TurnAnswer, print_support
from server.cli.backend import Backend, Json, ServerError, open_backend
from server.cli.explanations import print_explanation
from server.cli.failures import reported_failures
from server.cli.terminal import notices, output, read_stdin, working


@dataclass(frozen=True)
class _Turn:
    message: str
    thread: str | None
    documents: list[Path]
    collection: str


def ask(
    message: Annotated[str, typer.Argument(help="What to ask; - reads it from standard input.")],
    thread: Annotated[str | None, typer.Option(help="Go on with this conversation.")] = None,
    document: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="Attach a file (may be repeated); it is kept as a document."),
    ] = None,
    collection: Annotated[str, typer.Option(help="Answer from this collection of documents.")] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Print the result object and nothing else.")] = False,
    explain: Annotated[bool, typer.Option(help="Say why this route and why this answer.")] = False,
) -> None:
    """Ask a question about the documents, have a document read, or a transaction judged.

    Examples:

    switchyard ask "How long does a cardholder have to dispute a charge?"

    switchyard ask "And for debit cards?" --thread THREAD

    switchyard ask "Extract the fields" --document invoice.pdf

    cat letter.txt | switchyard ask -
    """
    with reported_failures():
        text = read_stdin() if message == "-" else message
        turn = _Turn(text, thread, document or [], collection)
        result = asyncio.run(_run(turn, quiet=as_json))
        answer = TurnAnswer.model_validate(result)
    if as_json:
        typer.echo(orjson.dumps(result, option=orjson.OPT_INDENT_2))
        return
    print_support(output(), answer)
    if explain:
        print_explanation(output(), answer.explanation)


async def _run(turn: _Turn, *, quiet: bool) -> Json:
    """Run the turn and show its answer; returns the result."""
    async with open_backend(Settings(), notices(), samples=True) as backend:
        attached = [await _attach(backend, file, turn.collection) for file in turn.documents]
        body: Json = {"message": turn.message, "document_ids": attached, "collection": turn.collection}
        if turn.thread is not None:
            body["thread_id"] = turn.thread
        return await _follow(backend, body, None if quiet else output())


async def _attach(backend: Backend, file: Path, collection: str) -> str:
    content = await asyncio.to_thread(file.read_bytes)
    return (await backend.add_file(file.name, content, {"collection": collection}))["document_id"]


async def _follow(backend: Backend, body: Json, console: Console | None) -> Json:
    """Stream the draft to a terminal, then put the answer in its place; in a pipe only the answer appears."""
    draft = Draft()
    result: Json | None = None
    live = console is not None and console.is_terminal
    shown = Live(draft, console=console, refresh_per_second=15, transient=True) if live else nullcontext()
    with nullcontext() if live else working(notices(), "Working"), shown:
        async for event in backend.chat(body):
            if event.name == "error":
                raise ServerError(_error(event.data), code=event.data["code"])
            if event.name == "result":
                result = event.data
            draft.apply(event)
    if result is None:
        raise ServerError("The run ended without a result.", code="incomplete_answer")
    if console is not None:
        console.print(Text(result["answer"]), soft_wrap=not live)
    return result


def _error(data: Json) -> str:
    return f"{data['message']} ({data['code']}, trace {data['trace_id']})"
