"""Bringing a database's schema up to date with Alembic, which is loaded only where there is something to do."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Engine, inspect, text

_MIGRATIONS = Path(__file__).with_name("migrations")
NEWEST: Final = max(file.name[:4] for file in (_MIGRATIONS / "versions").glob("[0-9]*.py"))
"""The revision that this version of the server works with; a migration's file is named after its revision."""


def migrate(engine: Engine, revision: str = NEWEST) -> None:
    """Run the migrations up to a revision. Closes the engine's connections. Blocks."""
    if _revision_of(engine) == revision:
        engine.dispose()
        return
    # Imported here: Alembic takes a tenth of a start's time to load, and most starts find the newest schema.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["engine"] = engine
    command.upgrade(config, revision)


def _revision_of(engine: Engine) -> str | None:
    """The revision that a database is at; None for one without tables."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
