"""Alembic's entry point."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, Engine, text

from server.db.tables import metadata

# Any number, the same for all servers of a database.
_LOCK = 0x5357_4944


def run() -> None:
    """Apply the migrations with the engine that `server.db.schema.migrate` was given."""
    engine: Engine = context.config.attributes["engine"]
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
        with context.begin_transaction():
            _keep_others_out(connection)
            context.run_migrations()
    engine.dispose()


def _keep_others_out(connection: Connection) -> None:
    """Let servers that share a database migrate it one after the other; which revision it has is asked after this."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


run()
