"""`switchyard doctor`: what is there, what is missing, how to mend it."""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass
from typing import Annotated, cast

import orjson
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.settings import Settings
from server.cli.checks import Check, Status, run_checks
from server.cli.failures import reported_failures
from server.cli.terminal import notices, output, working

_STYLES: dict[Status, str] = {"ok": "green", "warn": "yellow", "fail": "bold red"}
_CREDENTIALS = re.compile(r"//[^/@]+@")


@dataclass(frozen=True)
class Setting:
    """A setting with where its value comes from: the environment or the default."""

    name: str
    value: str
    source: str
    description: str


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print settings and checks as JSON.")] = False,
) -> None:
    """Check settings, data directory, model files, port, database and services. Changes nothing.

    Every line is ok, warn or fail, with what to do about it. Exits with 1 when something fails.

    Example: switchyard doctor
    """
    with reported_failures():
        settings = Settings()
        with working(notices(), "Checking"):
            checks = list(run_checks(settings))
    failed = sum(check.status == "fail" for check in checks)
    if as_json:
        found = {"ok": not failed, "settings": _settings(settings), "checks": [asdict(check) for check in checks]}
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    else:
        _print(output(), _settings(settings), checks)
    if failed:
        raise typer.Exit(1)


def _settings(settings: Settings) -> list[Setting]:
    given = {name.upper() for name in os.environ}
    found: list[Setting] = []
    for name, field in Settings.model_fields.items():
        variable = f"SWITCHYARD_{name.upper()}"
        value = getattr(settings, name)
        shown = _CREDENTIALS.sub("//***@", _text(value))
        source = "environment" if variable in given else "default"
        found.append(Setting(variable, shown, source, field.description or ""))
    return found


def _text(value: object) -> str:
    """A setting as people write it; a key only as stars."""
    if isinstance(value, tuple):
        return ", ".join(map(str, cast("tuple[object, ...]", value))) or "-"
    return "-" if value is None else str(value)


def _print(console: Console, settings: list[Setting], checks: list[Check]) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in ("Setting", "Value", "From"):
        table.add_column(column, overflow="fold")
    for setting in settings:
        given = setting.source == "environment"
        table.add_row(setting.name, setting.value, setting.source, style="bold" if given else "")
    console.print(table)
    grid = Table.grid(padding=(0, 1))
    for check in checks:
        found = Text(check.found)
        if check.fix:
            found.append(f"\n→ {check.fix}", style="dim" if check.status == "ok" else _STYLES[check.status])
        grid.add_row(Text(check.status, style=_STYLES[check.status]), Text(check.name, style="bold"), found)
    console.print(grid)
    counts = {status: sum(check.status == status for check in checks) for status in _STYLES}
    worst: Status = "fail" if counts["fail"] else "warn" if counts["warn"] else "ok"
    summary = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    console.print(Text(f"\n{summary}", style=_STYLES[worst]))
