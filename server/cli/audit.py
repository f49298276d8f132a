"""`switchyard audit`: verify the audit log, and export it."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.text import Text

from agent.settings import Settings
from server.audit.chain import ChainCheck, Problem
from server.audit.export import check_file, export_lines
from server.audit.head import read_head
from server.audit.key import AuditKey, load_key
from server.audit.reading import check_log, stored_rows
from server.cli.failures import fail, reported_failures
from server.cli.terminal import output, read_stdin
from server.storage import read_audit_log
from tools.errors import InputError

app = typer.Typer(no_args_is_help=True, add_completion=False)


class Format(StrEnum):
    """How rows are written."""

    JSONL = "jsonl"
    CSV = "csv"


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date; say 2026-11-03 or 2026-11-03T14:00:00+01:00.") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


_Key = Annotated[
    Path | None, typer.Option("--key", help="File of the audit key (SWITCHYARD_AUDIT_KEY).", show_default=False)
]


@app.callback()
def _group() -> None:
    """Verify and export the log of decisions, beside a running server or without one.

    Examples:

    switchyard audit verify

    switchyard audit export --since 2026-11-01 --out november.jsonl

    switchyard audit verify --file november.jsonl
    """


@app.command("verify")
def verify(
    file: Annotated[Path | None, typer.Option("--file", help="An exported file instead of the log itself.")] = None,
    head: Annotated[
        Path | None, typer.Option("--head", help="A copy of the head that was kept elsewhere, instead of the latest.")
    ] = None,
    key: _Key = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Find rows that were edited, deleted, added, moved or cut off. Exits with 1 when there is one.

    A file is checked without the database, and without the key but for its seals.

    Example: switchyard audit verify --json
    """
    with reported_failures():
        settings = Settings()
        if file is None:
            known = load_key(key or settings.audit_key_file)
            check = _check_log(settings, head or settings.audit_head_file, known)
        else:
            known = _key_if_there(key, settings)
            check = _check_file(file, known)
    if as_json:
        typer.echo(orjson.dumps(_as_json(check, sealed=known is not None), option=orjson.OPT_INDENT_2))
    else:
        _print(check, sealed=known is not None)
    if check.problems:
        raise typer.Exit(1)


@app.command("export")
def export(
    out: Annotated[Path | None, typer.Option("--out", help="Write to this file instead of standard output.")] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=_moment, metavar="DATE", help="From this moment on (UTC).")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(parser=_moment, metavar="DATE", help="Before this moment (UTC).")
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="JSON lines, or CSV for spreadsheets.")] = Format.JSONL,
    key: _Key = None,
) -> None:
    """Write rows of the log with all that it takes to verify them: switchyard audit verify --file.

    Example: switchyard audit export --since 2026-11-01 --until 2026-12-01 --format csv --out november.csv
    """
    with reported_failures(), ExitStack() as stack:
        settings = Settings()
        head = read_head(settings.audit_head_file)
        known = _key_if_there(key, settings)
        connection = stack.enter_context(read_audit_log(settings))
        sink = sys.stdout if out is None else stack.enter_context(_create(out))
        about = {"since": _iso(since), "until": _iso(until), "head": None if head is None else head.model_dump()}
        for line in export_lines(stored_rows(connection, since, until), format.value, known, about):
            sink.write(line)


@app.command("fingerprint")
def fingerprint(
    file: Annotated[Path | None, typer.Argument(help="The input; default: standard input.")] = None, key: _Key = None
) -> None:
    """Print the `input_hash` of a text or of a transaction as JSON, to find the decisions about it.

    Example: switchyard audit fingerprint transaction.json
    """
    with reported_failures():
        known = load_key(key or Settings().audit_key_file)
        text = _text(file)
    typer.echo(f"text         {known.fingerprint(text)}")
    try:
        fields: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return
    if isinstance(fields, dict):
        typer.echo(f"transaction  {known.fingerprint(fields)}")  # pyright: ignore[reportUnknownArgumentType]


def _check_log(settings: Settings, head_file: Path, key: AuditKey) -> ChainCheck:
    # The head first: the log may only have grown since.
    head = read_head(head_file)
    with read_audit_log(settings) as connection:
        check = check_log(connection, head, key)
        if head is None and check.rows and (late := read_head(head_file)) is not None:
            # The first row ever was just written.
            check = check_log(connection, late, key)
    return check


def _check_file(file: Path, key: AuditKey | None) -> ChainCheck:
    try:
        # As it lies there: no line end is translated, and bytes that are no text are found as such.
        with file.open(encoding="utf-8", errors="surrogateescape", newline="") as lines:
            return check_file(lines, "csv" if file.suffix.lower() == ".csv" else "jsonl", key)
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.")


def _key_if_there(given: Path | None, settings: Settings) -> AuditKey | None:
    if given is not None:
        return load_key(given)
    return load_key(settings.audit_key_file) if settings.audit_key_file.exists() else None


def _text(file: Path | None) -> str:
    if file is None or str(file) == "-":
        return read_stdin()
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read as text.", code="unreadable_file") from error


def _create(out: Path) -> Any:
    try:
        return out.open("w", encoding="utf-8", newline="")
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}.")


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _as_json(check: ChainCheck, *, sealed: bool) -> dict[str, Any]:
    return {
        "ok": not check.problems,
        "rows": check.rows,
        "first": None if check.first is None else check.first["sequence"],
        "last": None if check.last is None else check.last["sequence"],
        "hash": None if check.last is None else check.last["hash"],
        "seals_checked": sealed,
        "problems": [asdict(problem) for problem in check.problems],
        "problems_left_out": check.left_out,
    }


def _print(check: ChainCheck, *, sealed: bool) -> None:
    console = output()
    for problem in check.problems:
        console.print(Text.assemble((f"{_place(problem)}: ", "bold"), problem.message, (f"  {problem.code}", "red")))
    if check.left_out:
        console.print(f"and {check.left_out} more")
    ends = [row["sequence"] for row in (check.first, check.last) if row is not None]
    extent = f" ({ends[0]} to {ends[-1]})" if ends else ""
    seals = "" if sealed else " Seals were not checked: there is no key here."
    verdict = "The log is not what it was." if check.problems else "The log is whole."
    style = "red" if check.problems else "green"
    console.print(Text.assemble((verdict, style), f" {check.rows:,} rows{extent}.{seals}"))


def _place(problem: Problem) -> str:
    row = "" if problem.sequence is None else f"row {problem.sequence}"
    line = "" if problem.line is None else f"line {problem.line}"
    return ", ".join(part for part in (line, row) if part) or "log"
