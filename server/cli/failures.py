"""How commands fail: one clear line and a non-zero exit."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import ValidationError

from tools.errors import SwitchyardError


def fail(message: str) -> NoReturn:
    """Print one line to standard error and exit with status 1."""
    typer.echo(f"switchyard: {' '.join(message.split())}", err=True)
    raise typer.Exit(1)


@contextmanager
def reported_failures() -> Generator[None]:
    """Turn the errors that a user can act on into `fail`."""
    try:
        yield
    except SwitchyardError as error:
        fail(error.message)
    except ValidationError as error:
        problems = [f"SWITCHYARD_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        fail(f"The settings do not fit: {'; '.join(problems)}")
