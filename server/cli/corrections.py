"""`switchyard corrections`: what people corrected in extractions, as training rows."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import orjson
import typer
from sqlalchemy import inspect

from agent.settings import Settings
from agent.state import DEFAULT_OWNER
from server.cli.failures import reported_failures
from server.cli.terminal import notices
from server.corrections.rows import CorrectionRow
from server.corrections.store import correction_counts, stored_corrections
from server.corrections.training import training_rows
from server.db.tables import corrections
from server.storage import read_database
from tools.errors import InputError
from tools.files import write_atomically

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def _group() -> None:
    """Take out what people corrected in extractions, beside a running server or without one.

    Example: switchyard corrections export --output rows.jsonl
    """


@app.command("export")
def export(
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of standard output.")] = None,
    owner: Annotated[
        list[str] | None,
        typer.Option(help=f"Whose corrections (may be repeated). Default: {DEFAULT_OWNER}, who needs no key."),
    ] = None,
) -> None:
    """Write corrections as chat rows for python -m finetune: a passage, a field and a value; RIGHT or WRONG.

    Rows hold text of the owner's documents; prepare reports and masks personal data.

    Examples:

    switchyard corrections export --output rows.jsonl

    python -m finetune prepare --data rows.jsonl --group-column group --out out/finetune/corrections
    """
    with reported_failures():
        found = _corrections(Settings(), owner or [DEFAULT_OWNER])
        rows = [orjson.dumps(row).decode() + "\n" for row in training_rows(found)]
        if output is None:
            sys.stdout.writelines(rows)
        else:
            _write(output, "".join(rows))
    notices().print(f"{len(rows)} rows from {len(found)} corrections.", style="bold")


def _corrections(settings: Settings, owners: Sequence[str]) -> list[CorrectionRow]:
    """The corrections of some owners.

    Raises:
        InputError: `no_corrections`, there is none.
    """
    others: list[str] = []
    # An SQLite file that is not there yet would be an error of the driver's.
    if settings.database_url is not None or settings.app_database.is_file():
        with read_database(settings) as connection:
            if inspect(connection).has_table(corrections.name):
                if found := stored_corrections(connection, owners):
                    return found
                others = list(correction_counts(connection))
    hint = f" There are some of {', '.join(others)}: say --owner." if others else ""
    raise InputError(f"There are no corrections of {', '.join(owners)}.{hint}", code="no_corrections")


def _write(output: Path, rows: str) -> None:
    try:
        write_atomically(output, rows)
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}.", code="unwritable_output") from None
