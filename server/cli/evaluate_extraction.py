"""`switchyard eval extraction`: fields read from held-out documents and real receipts, beside a simple baseline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from agent.models.catalog import load_catalog
from agent.models.gateway import ModelGateway
from agent.settings import Settings
from eval.cases import REPOSITORY
from eval.extraction.documents import LabelledDocument
from eval.extraction.generator import Side, generate, generate_unusual
from eval.extraction.latency import measure_latency
from eval.extraction.page import SUMMARY, draw, extraction_page, field_lines, short, summary
from eval.extraction.receipts import Half, read_receipts
from eval.extraction.study import Judged, Told, judge, misses, row
from eval.extraction.systems import Extractor, NoModel, PlainRegex, System
from eval.extraction.wordings import wordings
from server.cli.failures import reported_failures

RESULT = REPOSITORY / "docs" / "results" / "extraction.json"
_BEFORE = REPOSITORY / "docs" / "results" / "extraction-unusual-before.json"
_PAGE = REPOSITORY / "docs" / "extraction-results.md"
_PICTURE = REPOSITORY / "docs" / "images" / "extraction.png"
_SEED = 20261
_RECEIPTS: dict[Half, str] = {"develop": "receipts to develop on", "report": "receipts",
                              "unseen": "receipts of unseen companies"}  # fmt: skip
_stdout = Console(highlight=False)
_stderr = Console(stderr=True, highlight=False)
Corpus = tuple[str, Sequence[LabelledDocument]]


def extraction(
    documents: Annotated[int, typer.Option(min=5, help="Documents of our own to generate.")] = 1000,
    side: Annotated[
        Side, typer.Option(help="Templates: held_out reports, train is to develop and train on.")
    ] = "held_out",
    unusual: Annotated[
        int, typer.Option(min=0, help="Receipts and contracts in unusual layouts to generate as well.")
    ] = 400,
    seed: Annotated[int, typer.Option(help="Seed of the generator.")] = _SEED,
    receipts: Annotated[Path | None, typer.Option(help="JSONL file of labelled receipts, measured too.")] = None,
    half: Annotated[
        Half | None, typer.Option(help="Which receipts; without it those of `report` and `unseen`.")
    ] = None,
    with_model: Annotated[
        int, typer.Option(min=0, help="Documents of each corpus for the product with its model.")
    ] = 0,
    latency: Annotated[
        int, typer.Option(min=0, help="Receipts and contracts of ten pages to time the product with its model on.")
    ] = 0,
    miss: Annotated[
        list[str] | None, typer.Option(help="Print what went wrong with this field of the readers.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Write the generated documents as JSONL and measure nothing.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the result as JSON.")] = None,
    docs: Annotated[bool, typer.Option("--docs", help="Write docs/extraction-results.md, picture and result.")] = False,
) -> None:
    """Measure extraction: F1 of each field, what was made up, calibration, latency, beside regular expressions.

    Examples:

    switchyard eval extraction --receipts ../shared/data/receipts_sroie.jsonl --with-model 20 --latency 20 --docs

    switchyard eval extraction --side train --documents 2000 --write train.jsonl
    """
    with reported_failures():
        generated = list(generate(side, documents, seed))
        if write:
            _write(write, generated)
            return
        corpora = _corpora(generated, side, unusual, seed, receipts, half)
        rows, timed = asyncio.run(_measure(corpora, with_model, latency, miss or ()))
        if docs:
            out = out or RESULT
            rows = _with_earlier(rows)
        if out:
            out.parent.mkdir(parents=True, exist_ok=True)
            result = {"seed": seed, "rows": rows, "latency": timed}
            out.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        if docs:
            _publish(rows, timed)


def _corpora(
    generated: Sequence[LabelledDocument], side: Side, unusual: int, seed: int, receipts: Path | None, half: Half | None
) -> list[Corpus]:
    """Everything that is measured, by name; documents of our own first."""
    name = side.replace("_", "-")
    corpora: list[Corpus] = [(f"{name} documents", generated)]
    if unusual:
        invoices = generate_unusual(side, unusual // 4, seed, ("invoice",))
        corpora += [
            (f"{name} documents in unusual layouts", list(generate_unusual(side, unusual, seed))),
            (f"{name} invoices with look-alikes of IBANs", list(invoices)),
        ]
    corpora.append((f"{name} wordings", list(wordings(side))))
    if receipts:
        halves: tuple[Half, ...] = (half,) if half else ("report", "unseen")
        corpora += [(_RECEIPTS[one], list(read_receipts(receipts, one))) for one in halves]
    return corpora


def _publish(rows: list[dict[str, Any]], timed: dict[str, Any] | None) -> None:
    """Write the page and its picture."""
    draw(rows, _PICTURE)
    source = RESULT.relative_to(REPOSITORY).as_posix()
    page = extraction_page(rows, source=source, picture="images/extraction.png", latency=timed)
    _PAGE.write_text(page, encoding="utf-8")
    _stderr.print(f"Wrote {_PAGE} and {_PICTURE}")


def _with_earlier(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, and before those of the readers what they read of the same documents before they were changed."""
    earlier = orjson.loads(_BEFORE.read_bytes())["rows"]
    found: list[dict[str, Any]] = []
    for one in rows:
        if one["system"] == "readers":
            found += [old for old in earlier if all(old[key] == one[key] for key in ("corpus", "documents"))]
        found.append(one)
    return found


async def _measure(
    corpora: Sequence[Corpus], with_model: int, timed: int, fields: Sequence[str]
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Rows of every corpus and system, and latencies; `fields` are those whose misses are printed."""
    gateway = ModelGateway(load_catalog(Settings().models)) if with_model or timed else None
    rows: list[dict[str, Any]] = []
    latency: dict[str, Any] | None = None
    try:
        if gateway and timed:
            latency = await measure_latency(gateway.chain("extract"), timed)
            _stdout.print(latency)
        with _progress() as progress:
            for name, documents in corpora:
                chosen = [one async for one in _rows(name, documents, gateway, with_model, _follower(progress), fields)]
                _show(name, chosen)
                rows += chosen
    finally:
        if gateway:
            gateway.close()
    return rows, latency


async def _rows(
    corpus: str, documents: Sequence[LabelledDocument], gateway: ModelGateway | None, few: int, told: Told,
    fields: Sequence[str],
) -> AsyncIterator[dict[str, Any]]:  # fmt: skip
    """A row for each system; the model's rows are of the first `few` documents, where these have every field."""
    for system in (PlainRegex(), Extractor("readers", NoModel())):
        judged = await judge(system, documents, told)
        if system.name == "readers":
            _print_misses(judged, fields)
        yield row(corpus, system.name, judged)
    if gateway and few and _fields(documents[:few]) == _fields(documents):
        for system in _on_few(gateway):
            yield row(corpus, system.name, await judge(system, documents[:few], told))


def _fields(documents: Sequence[LabelledDocument]) -> set[tuple[str, str]]:
    return {(one.schema, path) for one in documents for path in one.gold}


def _on_few(gateway: ModelGateway) -> Iterator[System]:
    """What needs the model, and the readers on the same few documents beside it."""
    yield Extractor("readers, same documents", NoModel())
    yield Extractor("product (readers, base model)", gateway.chain("extract"))


def _print_misses(judged: Sequence[Judged], fields: Sequence[str]) -> None:
    for path in fields:
        for one in misses(judged, path):
            _stdout.print(f"{one['document']} {path}: {one['gold']!r} was read as {one['read']!r}", markup=False)


def _write(path: Path, documents: Sequence[LabelledDocument]) -> None:
    lines = (
        orjson.dumps({"id": one.id, "schema": one.schema, "text": one.text, "gold": one.gold}) for one in documents
    )
    path.write_bytes(b"\n".join(lines) + b"\n")
    _stderr.print(f"Wrote {len(documents)} documents to {path}")


def _progress() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=_stderr, transient=True)


def _follower(progress: Progress) -> Told:
    task = progress.add_task("", total=None)
    return lambda what, done, total: progress.update(task, description=what, completed=done, total=total)


def _show(corpus: str, rows: Sequence[dict[str, Any]]) -> None:
    """The figures of a corpus, a column for each system, and below them its fields."""
    figures = list(zip(SUMMARY, *map(summary, rows), strict=True))
    for title, lines in ((corpus, figures), (f"{corpus}: fields", field_lines(rows, short))):
        head, *rest = lines
        table = Table(title=title, box=SIMPLE_HEAD, pad_edge=False)
        for column in head:
            table.add_column(column, no_wrap=column == head[0])
        for cells in rest:
            table.add_row(*cells)
        _stdout.print(table)
