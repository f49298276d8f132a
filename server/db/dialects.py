"""What differs between SQLite and PostgreSQL: words of statements, locks, largest numbers, errors worth a retry.

What every run executes is made once, with parameters: SQLAlchemy takes longer to put such a statement together than
SQLite to execute it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, cast

from sqlalchemy import Connection, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

LARGEST_INTEGER: Final = 2**31 - 1
"""Of an `Integer` in PostgreSQL, which refuses to compare one with more."""
_SERIALIZATION_FAILURE, _DEADLOCK = "40001", "40P01"


def insert_into(connection: Connection, table: Table) -> sqlite.Insert:
    """An INSERT that can say what happens on a conflict, in the words of the connection's database."""
    return insert_in(connection.dialect.name, table)


def insert_in(dialect: str, table: Table) -> sqlite.Insert:
    """The same, for whoever makes a statement once for each dialect."""
    if dialect == "postgresql":
        # The two classes have these methods in common, with the same parameters.
        return cast("sqlite.Insert", postgresql.insert(table))
    return sqlite.insert(table)


def insert_if_new(connection: Connection, table: Table) -> sqlite.Insert:
    """An INSERT that leaves rows alone that are there already."""
    return _insert_if_new(connection.dialect.name, table)


@cache
def _insert_if_new(dialect: str, table: Table) -> sqlite.Insert:
    return insert_in(dialect, table).on_conflict_do_nothing()


def written(connection: Connection, statement: sqlite.Insert, row: Mapping[str, Any]) -> bool:
    """Execute an INSERT of a row; returns false where a conflict kept it out."""
    # Only SQLite's driver still knows the count when SQLAlchemy has closed the cursor.
    return connection.execute(statement, row, execution_options={"preserve_rowcount": True}).rowcount > 0


def lock(connection: Connection, rows: Select[Any], parameters: Mapping[str, Any]) -> None:
    """Let nobody else change the rows of this query before the transaction ends.

    SQLite has one writer at a time, for whom the whole database is locked already.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(rows.with_for_update(), parameters)


def is_worth_a_retry(error: Exception) -> bool:
    """Whether a transaction failed only because of another one that ran at the same time."""
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return state in (_SERIALIZATION_FAILURE, _DEADLOCK)
