"""What tells that the packages for PostgreSQL are missing."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from tools.errors import SwitchyardError


class MissingExtraError(SwitchyardError):
    """The settings name PostgreSQL, and its packages are not installed."""

    code = "missing_extra"


@contextmanager
def needed_extra() -> Generator[None]:
    """Say what to install where an import fails.

    Raises:
        MissingExtraError: it did.
    """
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(
            f"PostgreSQL takes packages that are not installed ({error.name or error}). "
            "Install them: scripts/install.sh .venv postgres"
        ) from None
