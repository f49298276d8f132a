"""Connections to PostgreSQL: how they are made, what goes through them, and how their failures are told."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.json import set_json_dumps
from psycopg.types.string import StrDumperUnknown
from sqlalchemy.exc import OperationalError

from tools.errors import SwitchyardError

# A server that vanishes without a word is noticed within half a minute; libpq alone would wait for hours.
_DEFAULTS = {
    "application_name": "switchyard",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "tcp_user_timeout": 30_000,
}
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


class DatabaseUnavailableError(SwitchyardError):
    """The database that the settings name cannot be reached or used."""

    code = "database_unavailable"


def connection_info(url: str) -> str:
    """What libpq needs to connect; parameters of the URL override ours.

    Raises:
        DatabaseUnavailableError: it is no URL that libpq understands.
    """
    with reported_failures():
        return make_conninfo("", **{**_DEFAULTS, **conninfo_to_dict(url)})


def adapt(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
    """Leave NUL characters out of what is written: PostgreSQL has none in texts, and refuses the whole statement."""
    connection.adapters.register_dumper(str, _TextDumper)


def adapt_json(connection: psycopg.AsyncConnection[Any]) -> None:
    """The same inside of JSON."""
    set_json_dumps(_dumps, connection)


@contextmanager
def reported_failures() -> Generator[None]:
    """Tell what libpq says, without the URL: it may hold a password."""
    try:
        yield
    except (OperationalError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, OperationalError) else error
        reason = str(cause).partition("\n")[0]
        raise DatabaseUnavailableError(
            f"The database cannot be used ({reason}). Check SWITCHYARD_DATABASE_URL, and that PostgreSQL runs."
        ) from None


class _TextDumper(StrDumperUnknown):
    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\x00", ""))


def _dumps(value: Any) -> str:
    text = json.dumps(value)
    return _NUL.sub(r"\1", text) if "\\u0000" in text else text
