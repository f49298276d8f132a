"""`switchyard prompts`: the versioned prompts, and which of them are in use."""

from __future__ import annotations

import re
from dataclasses import asdict
from difflib import unified_diff
from textwrap import shorten
from typing import Annotated

import orjson
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.prompts import Prompt
from agent.prompts.registry import PromptRegistry
from agent.settings import Settings
from server.cli.failures import reported_failures
from server.cli.terminal import output
from server.data_directory import prepare_data_directory

_BEGINNING_CHARS = 45
_VERSION = re.compile(r"v?([1-9]\d{0,5})")

app = typer.Typer(no_args_is_help=True, add_completion=False)


def _version(text: str) -> int:
    if (match := _VERSION.fullmatch(text)) is None:
        raise typer.BadParameter(f"{text!r} is no version; say 2 or v2.")
    return int(match[1])


_Name = Annotated[str, typer.Argument(help="The prompt's name, e.g. prose.")]


@app.callback()
def _group() -> None:
    """Look at the versioned prompts, and choose which version is in use.

    Examples:

    switchyard prompts list

    switchyard prompts diff prose 1 2

    switchyard prompts rollback prose
    """


@app.command("list")
def list_prompts(
    as_json: Annotated[bool, typer.Option("--json", help="Print the prompts in use with their texts as JSON.")] = False,
) -> None:
    """List the prompts with their versions and the one in use.

    Example: switchyard prompts list --json
    """
    with reported_failures():
        registry = _registry()
        in_use = registry.in_use()
    if as_json:
        shown = {name: {**asdict(prompt), "versions": _numbers(registry, name)} for name, prompt in in_use.items()}
        typer.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2))
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in ("Prompt", "In use", "Versions", "Begins with"):
        table.add_column(column)
    for name, prompt in in_use.items():
        numbers = ", ".join(f"v{version}" for version in _numbers(registry, name))
        table.add_row(name, prompt.id, numbers, shorten(prompt.text, _BEGINNING_CHARS, placeholder=" …"))
    output().print(table)


@app.command("diff")
def diff(
    name: _Name,
    a: Annotated[int | None, typer.Argument(parser=_version, help="One version; default: the one before B.")] = None,
    b: Annotated[int | None, typer.Argument(parser=_version, help="The other; default: the one in use.")] = None,
) -> None:
    """Show what differs between two versions of a prompt, by default the one in use and the one used before it.

    Example: switchyard prompts diff prose 1 2
    """
    with reported_failures():
        registry = _registry()
        registry.versions(name)
        new = registry.in_use()[name] if b is None else registry.find(name, b)
        old = registry.previous(name) if a is None else registry.find(name, a)
    _print_diff(output(), old, new)


@app.command("rollback")
def rollback(
    name: _Name,
    version: Annotated[
        int | None, typer.Argument(parser=_version, help="The version to use; default: the one used before.")
    ] = None,
) -> None:
    """Use another version of a prompt, earlier or later; a running server takes it for its next runs.

    The choice is kept in the data directory, also when a later release brings newer versions.

    Example: switchyard prompts rollback prose 1
    """
    with reported_failures():
        settings = Settings()
        registry = PromptRegistry(settings.prompt_file)
        wanted = registry.previous(name) if version is None else registry.find(name, version)
        prepare_data_directory(settings.data_dir)
        before = registry.use(wanted)
    typer.echo(f"{wanted.id} is in use {'already' if before == wanted.id else f'after {before}'}.")


def _registry() -> PromptRegistry:
    return PromptRegistry(Settings().prompt_file)


def _numbers(registry: PromptRegistry, name: str) -> list[int]:
    return [prompt.version for prompt in registry.versions(name)]


def _print_diff(console: Console, old: Prompt, new: Prompt) -> None:
    styles = {"+": "green", "-": "red", "@": "cyan"}
    lines = list(unified_diff(old.text.splitlines(), new.text.splitlines(), old.id, new.id, lineterm=""))
    if not lines:
        console.print(Text(f"{old.id} and {new.id} say the same."))
    for line in lines:
        console.print(Text(line, style=styles.get(line[0], "")), soft_wrap=True)
