"""`switchyard prune`: let go of what has been kept long enough, now."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from rich.console import Console

from agent.settings import Settings
from server.cli.failures import reported_failures
from server.data_directory import owned_data_directory
from server.retention import Pruned, Retention
from server.storage import open_app_database
from server.thread_states import open_thread_states


def prune() -> None:
    """Let go of old events, temporary runs, checkpoints and request keys (SWITCHYARD_KEEP_*_DAYS). A server that runs
    does so by itself, once an hour."""
    settings = Settings()
    with reported_failures(), owned_data_directory(settings.data_dir):
        pruned = asyncio.run(_prune(settings))
    console = Console(highlight=False)
    for name, count in asdict(pruned).items():
        console.print(f"{count:>8}  {name.replace('_', ' ')}")


async def _prune(settings: Settings) -> Pruned:
    database = await asyncio.to_thread(open_app_database, settings)
    try:
        async with open_thread_states(settings) as checkpoints:
            return await Retention(settings, database, checkpoints).prune()
    finally:
        await asyncio.to_thread(database.close)
