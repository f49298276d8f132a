"""Statements that SQLite and Postgres both know, but SQLAlchemy only in each one's own words."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_into(connection: Connection, table: Table) -> sqlite.Insert:
    """An INSERT that can say what happens on a conflict, in the words of the connection's database."""
    if connection.dialect.name == "postgresql":
        # The two classes have these methods in common, with the same parameters.
        return cast("sqlite.Insert", postgresql.insert(table))
    return sqlite.insert(table)
