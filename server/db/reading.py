"""The SQLite file read beside a running server or without one. Nothing is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from sqlalchemy import Connection, create_engine

_BUSY_TIMEOUT_S = 30


@contextmanager
def reading(path: Path) -> Generator[Connection]:
    """A connection that reads the file and cannot change it. Blocks.

    Raises:
        OperationalError: on the first query, the file is not there or no database.
    """
    uri = f"file:{quote(str(path))}?mode=ro"
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S),
        json_deserializer=_from_json,
    )
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _from_json(text: str) -> Any:
    """JSON, or the text itself where somebody has made it something else: its row's hash tells."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
