"""Alembic's entry point."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine

from server.db.tables import metadata


def run() -> None:
    """Apply the migrations over a connection of their own."""
    url = context.config.get_main_option("sqlalchemy.url")
    assert url is not None
    engine = create_engine(url)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
