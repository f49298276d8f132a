"""Where LangGraph's checkpoints are: an SQLite file of their own, or beside the app's tables in PostgreSQL."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from agent.settings import Settings
from server.checkpoints import Checkpoints, open_checkpoints
from server.postgres.extra import needed_extra


def open_thread_states(settings: Settings) -> AbstractAsyncContextManager[Checkpoints]:
    """Open the checkpoints.

    Raises:
        MissingExtraError: it takes packages that are not installed.
        DatabaseUnavailableError: on entering, the database cannot be reached or used.
    """
    if settings.database_url is None:
        return open_checkpoints(settings.checkpoint_database)
    with needed_extra():
        from server.postgres.checkpoints import open_postgres_checkpoints
    return open_postgres_checkpoints(settings.database_url.get_secret_value())
