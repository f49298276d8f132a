"""`switchyard extract`: documents into a schema."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import orjson
import typer
from pydantic import TypeAdapter, ValidationError

from agent.results import ExtractionResult
from agent.settings import Settings
from server.cli.backend import Json, open_backend
from server.cli.cards import extraction_table
from server.cli.extract_many import extract_files
from server.cli.extracted import FORMATS
from server.cli.failures import reported_failures
from server.cli.sources import find_files
from server.cli.terminal import notices, read_stdin, working
from server.cli.terminal import output as output_console
from tools.errors import InputError
from tools.knowledge.load import parse_file

_JSON_OBJECT = TypeAdapter(Json)


def extract(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="Files (PDF, DOCX, HTML, text, ...) and folders; - reads standard input."),
    ],
    schema: Annotated[
        str,
        typer.Option(help="contract, invoice, receipt, dispute_letter, transaction, or a JSON Schema file."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="Write one record a document to this file, FILE.jsonl or FILE.csv."),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="With --output: try failed files again.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Read typed fields out of documents. What is not in the text stays empty.

    One file is read and shown. With --output many files are read, and folders are searched through for PDF, DOCX, HTML,
    Markdown, text, CSV and EML files. Stopped at any place, the same command goes on: files that are in the output
    with the same content are skipped. A file that cannot be read becomes a record with its error, and the command
    exits with 1.

    Examples:

    switchyard extract invoice.pdf --schema invoice

    cat letter.txt | switchyard extract - --schema dispute_letter --json

    switchyard extract invoices/ --schema invoice --output invoices.csv
    """
    if output is not None:
        if as_json or "-" in paths:
            raise typer.BadParameter("--output takes files and folders, and goes without --json and -.")
        _extract_many(list(map(Path, paths)), schema, output, retry=retry_failed)
        return
    if len(paths) > 1 or Path(paths[0]).is_dir():
        raise typer.BadParameter("Several files and folders need --output FILE.jsonl or FILE.csv.")
    if retry_failed:
        raise typer.BadParameter("--retry-failed goes with --output.")
    with reported_failures():
        body = {"text": _read_text(paths[0]), "schema": _read_schema(schema)}
        found = asyncio.run(_extract(body))
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    else:
        output_console().print(extraction_table(ExtractionResult.model_validate(found)))


def _extract_many(paths: list[Path], schema: str, output: Path, *, retry: bool) -> None:
    if output.suffix.lower() not in FORMATS:
        raise typer.BadParameter("--output must end in .jsonl or .csv.")
    if missing := [str(path) for path in paths if not path.exists()]:
        raise typer.BadParameter(f"There is no {', '.join(missing)}.")
    with reported_failures():
        work = extract_files(find_files(paths, output), _read_schema(schema), output, retry=retry)
        tally = asyncio.run(work)
    notices().print(
        f"{tally.extracted} extracted, {tally.skipped} already in {output}, {tally.failed} failed.",
        style="bold",
        markup=False,
        soft_wrap=True,
    )
    if tally.failed:
        raise typer.Exit(1)


async def _extract(body: Json) -> Json:
    async with open_backend(Settings(), notices()) as backend:
        with working(notices(), "Reading the document"):
            return await backend.extract(body)


def _read_text(path: str) -> str:
    if path == "-":
        return read_stdin()
    file = Path(path)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", code="unreadable_file") from None
    return parse_file(content, file.name, ocr=Settings().ocr).text


def _read_schema(schema: str) -> str | Json:
    """The name of a built-in schema, or the JSON Schema in a file."""
    file = Path(schema)
    if not file.is_file():
        return schema
    try:
        return _JSON_OBJECT.validate_json(file.read_bytes())
    except ValidationError as error:
        problem = error.errors()[0]["msg"]
        raise InputError(
            f"The schema file {schema} must hold a JSON object: {problem}.", code="invalid_schema"
        ) from None
