"""`switchyard prompts`: the versioned prompts."""

from __future__ import annotations

from collections import defaultdict
from textwrap import shorten
from typing import Annotated

import orjson
import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from agent.prompts import Prompt, all_prompts
from server.cli.terminal import output

_BEGINNING_CHARS = 45

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def _group() -> None:
    """Look at the versioned prompts.

    Example: switchyard prompts list
    """


@app.command("list")
def list_prompts(
    as_json: Annotated[bool, typer.Option("--json", help="Print the prompts with their texts as JSON.")] = False,
) -> None:
    """List the prompts with their versions; the newest is used.

    Example: switchyard prompts list --json
    """
    by_name: dict[str, list[Prompt]] = defaultdict(list)
    for prompt in all_prompts():
        by_name[prompt.name].append(prompt)
    if as_json:
        typer.echo(orjson.dumps({name: versions[-1] for name, versions in by_name.items()}, option=orjson.OPT_INDENT_2))
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in ("Prompt", "In use", "Versions", "Begins with"):
        table.add_column(column)
    for name, versions in by_name.items():
        numbers = ", ".join(f"v{prompt.version}" for prompt in versions)
        table.add_row(name, versions[-1].id, numbers, shorten(versions[-1].text, _BEGINNING_CHARS, placeholder=" …"))
    output().print(table)
