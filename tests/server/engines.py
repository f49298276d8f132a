"""An engine past the server's own, for what a test does to a database behind its back."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine

from agent.settings import Settings


def engine_of(kept: Settings) -> Engine:
    """An engine of the app database."""
    if kept.database_url is None:
        return create_engine(f"sqlite:///{kept.app_database}", connect_args={"check_same_thread": False})
    return create_engine(kept.database_url.get_secret_value().replace("postgresql:", "postgresql+psycopg:"))
