"""`switchyard score`: transactions scored for fraud."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Annotated, TextIO

import orjson
import typer
from rich.console import Console
from rich.text import Text

from agent.results import FraudResult
from agent.settings import Settings
from server.cli.backend import Backend, Json, open_backend
from server.cli.cards import fraud_card
from server.cli.failures import fail, reported_failures
from server.cli.rows import Row, read_rows
from server.cli.terminal import notices, output, progress_bar, read_stdin, working
from tools.errors import InputError

_AT_ONCE = 4


def score(
    file: Annotated[Path | None, typer.Argument(help="JSONL or CSV, one transaction a row.")] = None,
    text: Annotated[str | None, typer.Option(help="One transaction in words; - reads standard input.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the results (JSONL) to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON also on a terminal; a pipe always gets it.")] = False,
) -> None:
    """Score transactions for fraud: one line of JSON a row, with the row's line number.

    Rows that cannot be scored are reported with their line numbers and kept apart, in OUT.rejected.jsonl. Exits with 1
    when no row could be scored.

    Examples:

    switchyard score transactions.jsonl --out scores.jsonl

    switchyard score --text "2,400 EUR at ElectroWorld at 3 am, usually spends 45 EUR"
    """
    if (file is None) == (text is None):
        raise typer.BadParameter("Give either a FILE or --text.")
    with reported_failures(), ExitStack() as stack:
        sink = sys.stdout if out is None else stack.enter_context(_create(out))
        plain = as_json or out is not None or not sys.stdout.isatty()
        if text is not None:
            result = asyncio.run(_score_text(read_stdin() if text == "-" else text))
            _write(sink, result) if plain else output().print(fraud_card(FraudResult.model_validate(result)))
        elif file is not None:
            rows = read_rows(file)
            scored = asyncio.run(_score_rows(rows, sink, plain=plain, out=out))
            if not scored:
                raise typer.Exit(1)


def _create(out: Path) -> TextIO:
    try:
        return out.open("w", encoding="utf-8")
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}.")


async def _score_text(text: str) -> Json:
    async with open_backend(Settings(), notices()) as backend:
        with working(notices(), "Scoring"):
            return (await backend.score({"text": text}))["results"][0]


async def _score_rows(rows: Sequence[Row], sink: TextIO, *, plain: bool, out: Path | None) -> int:
    """Score rows and write each result as it comes; returns how many could be scored."""
    console, labels = notices(), Counter[str]()
    rejected: list[Json] = []
    async with open_backend(Settings(), console) as backend:
        # On a terminal the lines themselves show how far it is.
        with progress_bar(console, "Scoring", hidden=sink.isatty()) as progress:
            task = progress.add_task("", total=len(rows))
            async for row, outcome in _outcomes(backend, rows):
                progress.advance(task)
                if isinstance(outcome, InputError):
                    rejected.append({"line": row.line, "code": outcome.code, "message": outcome.message})
                    progress.console.print(f"line {row.line}: {outcome.message}", style="red", markup=False)
                    continue
                labels.update([outcome["label"], *(["review"] if outcome["needs_review"] else [])])
                if plain:
                    _write(sink, _named(row, outcome))
                else:
                    output().print(_line(row, outcome), no_wrap=True, overflow="ellipsis")
    apart = _keep_apart(rejected, out)
    _summarise(console, labels, len(rejected), apart)
    return len(rows) - len(rejected)


async def _outcomes(backend: Backend, rows: Sequence[Row]) -> AsyncGenerator[tuple[Row, Json | InputError]]:
    """Each row with its score or what is wrong with it, in order, a few at a time."""
    waiting = iter(rows)
    while batch := list(islice(waiting, _AT_ONCE)):
        outcomes = await asyncio.gather(*(_score_row(backend, row) for row in batch))
        for row, outcome in zip(batch, outcomes, strict=True):
            yield row, outcome


async def _score_row(backend: Backend, row: Row) -> Json | InputError:
    if row.problem is not None:
        return InputError(row.problem, code="invalid_row")
    try:
        return (await backend.score(row.body))["results"][0]
    except InputError as error:
        return error


def _named(row: Row, result: Json) -> Json:
    known = {name: row.fields[name] for name in ("transaction_id", "id") if name in row.fields}
    return {"line": row.line, **known, **result}


def _line(row: Row, result: Json) -> Text:
    flags = " ".join(flag["code"] for flag in result["red_flags"])
    style = "red" if result["label"] == "FRAUD" else "green"
    review = "review" if result["needs_review"] else ""
    return Text.assemble(
        (f"{row.line:>5}  ", "dim"), (f"{result['label']:<10}", style), f" risk {result['risk_score']:>3}  ",
        (f"{review:<6}  ", "yellow"), flags,
    )  # fmt: skip


def _write(sink: TextIO, result: Json) -> None:
    sink.write(orjson.dumps(result).decode() + "\n")
    sink.flush()


def _keep_apart(rejected: Sequence[Json], out: Path | None) -> Path | None:
    """Write what could not be scored beside the results."""
    if out is None or not rejected:
        return None
    apart = out.with_name(f"{out.stem}.rejected.jsonl")
    apart.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rejected))
    return apart


def _summarise(console: Console, labels: Counter[str], rejected: int, apart: Path | None) -> None:
    where = f" (see {apart})" if apart else ""
    console.print(
        f"{labels['FRAUD']} FRAUD, {labels['LEGITIMATE']} LEGITIMATE, {labels['review']} for review, "
        f"{rejected} not scored{where}.",
        style="bold",
    )
