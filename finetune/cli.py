"""The commands of `python -m finetune`. A command's modules are imported when it runs: help comes at once."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

# Before anything imports a hub client: nothing is fetched, nothing is reported to anybody.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import typer

from finetune.errors import MissingExtraError
from tools.errors import SwitchyardError

app = typer.Typer(
    help="Learn a company's own fraud signals into a small adapter, and prove what it is worth.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_EXTRA = {"torch", "transformers", "peft", "trl", "datasets", "safetensors", "gguf", "mlflow", "optuna", "matplotlib"}
Data = Annotated[Path, typer.Option("--data", help="Rows: .jsonl or .csv with text and label, or chat rows.")]


@contextmanager
def reported_failures() -> Generator[None]:
    """Turn the errors that a user can act on into one line on standard error and exit status 1."""
    try:
        try:
            yield
        except ModuleNotFoundError as error:
            module = (error.name or "").partition(".")[0]
            if module not in _EXTRA:
                raise
            raise MissingExtraError(module) from error
    except SwitchyardError as error:
        typer.echo(f"finetune: {' '.join(error.message.split())}", err=True)
        raise typer.Exit(1) from error


@app.callback()
def _group() -> None:
    """Keep commands as subcommands."""


def main() -> None:
    """Run the command line."""
    app()
