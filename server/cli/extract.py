"""`switchyard extract`: a document into a schema."""

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
from server.cli.failures import reported_failures
from server.cli.terminal import notices, output, read_stdin, working
from tools.errors import InputError
from tools.knowledge.load import parse_file

_JSON_OBJECT = TypeAdapter(Json)


def extract(
    path: Annotated[str, typer.Argument(help="A file (PDF, DOCX, HTML, text, ...); - reads standard input.")],
    schema: Annotated[
        str,
        typer.Option(help="contract, invoice, receipt, dispute_letter, transaction, or a JSON Schema file."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Read typed fields out of a document. What is not in the text stays empty.

    Examples:

    switchyard extract invoice.pdf --schema invoice

    cat letter.txt | switchyard extract - --schema dispute_letter --json
    """
    with reported_failures():
        body = {"text": _read_text(path), "schema": _read_schema(schema)}
        found = asyncio.run(_extract(body))
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    else:
        output().print(extraction_table(ExtractionResult.model_validate(found)))


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
    return parse_file(content, file.name).text


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
