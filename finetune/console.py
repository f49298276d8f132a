"""What the commands share: failures as one line, folders, figures as text."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from finetune.errors import MissingExtraError
from finetune.memory import out_of_memory_told
from tools.errors import SwitchyardError

_EXTRA = {"torch", "transformers", "peft", "trl", "datasets", "safetensors", "mlflow", "optuna", "matplotlib"}

_WITH_LESS_MEMORY = (
    "Give it fewer rows at a time, end other programs that use memory, or take a smaller base; evaluate needs less "
    "with --no-with-base."
)

Data = Annotated[Path, typer.Option("--data", help="Rows: .jsonl or .csv with text and label, or chat rows.")]


@contextmanager
def reported_failures() -> Generator[None]:
    """Turn the errors that a user can act on into one line on standard error and exit status 1."""
    try:
        try:
            with out_of_memory_told(_WITH_LESS_MEMORY):
                yield
        except ModuleNotFoundError as error:
            module = (error.name or "").partition(".")[0]
            if module not in _EXTRA:
                raise
            raise MissingExtraError(module) from error
    except SwitchyardError as error:
        typer.echo(f"finetune: {' '.join(error.message.split())}", err=True)
        raise typer.Exit(1) from error


def figures(metrics: Mapping[str, float | None]) -> str:
    """Metrics as one line."""
    return ", ".join(f"{name} {value:.3f}" for name, value in metrics.items() if value is not None)


def data_folder() -> Path:
    """Where tracked runs, the registry and the dequantised base lie (SWITCHYARD_DATA_DIR)."""
    return Path(os.environ.get("SWITCHYARD_DATA_DIR") or ".switchyard") / "finetune"


def cache_folder() -> Path:
    """Where the dequantised base lies."""
    return data_folder() / "cache"
