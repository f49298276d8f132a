"""What lies in the tables of the checkpoints, read past the saver."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psycopg

from agent.settings import Settings

_ORPHANED = "thread_id NOT IN (SELECT thread_id FROM checkpoints)"
# In PostgreSQL the values of channels have a table of their own.
_UNUSED = """
    SELECT count(*) FROM checkpoint_blobs AS value WHERE NOT EXISTS (
        SELECT 1 FROM checkpoints AS used
        WHERE used.thread_id = value.thread_id AND used.checkpoint_ns = value.checkpoint_ns
            AND used.checkpoint -> 'channel_versions' ->> value.channel = value.version)
"""


def writes(kept: Settings) -> int:
    """How many writes of nodes there are."""
    if kept.database_url is None:
        return _in_file(kept, "SELECT count(*) FROM writes")
    return _in_postgres(kept, "SELECT count(*) FROM checkpoint_writes")


def remains(kept: Settings) -> int:
    """How many writes and values are left that belong to no checkpoint. An open transaction fails this."""
    if kept.database_url is None:
        return _in_file(kept, f"SELECT count(*) FROM writes WHERE {_ORPHANED}")
    return _in_postgres(kept, f"SELECT count(*) FROM checkpoint_writes WHERE {_ORPHANED}") + _in_postgres(kept, _UNUSED)


def _in_file(kept: Settings, query: str) -> int:
    with closing(sqlite3.connect(kept.checkpoint_database, timeout=1)) as outside, outside:
        outside.execute("DELETE FROM writes WHERE thread_id = 'nobody'")
        return outside.execute(query).fetchone()[0]


def _in_postgres(kept: Settings, query: str) -> int:
    assert kept.database_url is not None
    with psycopg.connect(kept.database_url.get_secret_value()) as outside:
        outside.execute("LOCK TABLE checkpoints, checkpoint_writes, checkpoint_blobs NOWAIT")
        [count] = outside.execute(query.encode()).fetchone() or (0,)
        return count
