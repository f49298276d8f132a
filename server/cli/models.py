"""`switchyard models`: which model serves which role."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

import orjson
import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from agent.models.catalog import Catalog, load_catalog
from agent.models.files import ALL_MODEL_FILES, ModelFile, ModelFileError
from agent.settings import Settings
from server.cli.failures import reported_failures
from server.cli.terminal import output


@dataclass(frozen=True)
class FileState:
    """A packaged model file and whether it is the file it should be."""

    package: str
    name: str
    sha256: str
    path: str | None
    problem: str | None


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Show which model serves which role, its endpoint and prices, and check the model files' SHA-256.

    SWITCHYARD_MODELS names a YAML file that changes this. Exits with 1 when a model file is missing or corrupt.

    Example: switchyard models
    """
    with reported_failures():
        catalog = load_catalog(Settings().models)
    files = [check_file(file) for file in ALL_MODEL_FILES]
    if as_json:
        found = {**catalog.model_dump(mode="json"), "files": [asdict(file) for file in files]}
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    else:
        output().print(_roles(catalog), _endpoints(catalog), _files(files))
    if any(file.problem for file in files):
        raise typer.Exit(1)


def check_file(file: ModelFile) -> FileState:
    """Find a model file and compare its SHA-256."""
    try:
        return FileState(file.distribution, file.name, file.sha256, str(file.verify()), None)
    except ModelFileError as error:
        return FileState(file.distribution, file.name, file.sha256, None, error.message)


def _roles(catalog: Catalog) -> Table:
    table = _table("Role", "Model", "Adapter", "Endpoint", "Temp.", "Tokens")
    for name, role in catalog.roles.items():
        for model in role.models:
            served = (model.model, model.adapter or "-", model.endpoint)
            table.add_row(name if model is role else "  else", *served, f"{model.temperature:g}", str(model.max_tokens))
    return table


def _endpoints(catalog: Catalog) -> Table:
    table = _table("Endpoint", "Kind", "Address", "Key from", "USD/1k in", "out")
    for name, endpoint in catalog.endpoints.items():
        address = str(endpoint.base_url) if endpoint.base_url else "in this process"
        prices = (f"{endpoint.price_per_1k_input:g}", f"{endpoint.price_per_1k_output:g}")
        table.add_row(name, endpoint.kind, address, endpoint.api_key_env or "-", *prices)
    return table


def _files(files: list[FileState]) -> Table:
    table = _table("Model file", "Package", "SHA-256", "")
    for file in files:
        state = Text("intact", style="green") if file.problem is None else Text(file.problem, style="red")
        table.add_row(file.name, file.package, file.sha256[:12], state)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
