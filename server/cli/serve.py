"""`switchyard serve`: the server and its page."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
from types import FrameType
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI
from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent.prompts.registry import PromptRegistry
from agent.settings import Settings
from server.access.binding import local_address, require_safe_address
from server.access.store import KeyStore
from server.app import create_app
from server.application import DRAIN_GRACE_S, Application
from server.cli import allocator
from server.cli.failures import reported_failures
from server.data_directory import prepare_data_directory
from server.masking import mask_log_output
from server.storage import require_database
from tools.errors import SwitchyardError

NOISY_LOGGERS = ("httpx", "httpx2", "httpcore", "alembic", "openai", "uvicorn", "fastembed", "aiosqlite")
_console = Console(stderr=True, highlight=False)


class _Server(uvicorn.Server):
    """Starts to end the runs at the first signal: uvicorn waits for open streams before it stops the application."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        application: Application | None = getattr(self._app.state, "application", None)
        if application is not None and not self.should_exit:
            asyncio.get_running_loop().create_task(application.stop())
        super().handle_exit(sig, frame)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (SWITCHYARD_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 picks a free one (SWITCHYARD_PORT).")] = None,
) -> None:
    """Serve the page and the API. Everything is kept below SWITCHYARD_DATA_DIR (./.switchyard)."""
    with reported_failures():
        chosen = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
        settings = Settings(**chosen)  # pyright: ignore[reportArgumentType]
        require_safe_address(settings)
        prepare_data_directory(settings.data_dir)
        require_database(settings)
        PromptRegistry(settings.prompt_file).in_use()
        allocator.give_large_blocks_back()
        listener = _listen(settings)
    _configure_logging(settings)
    address = local_address(settings.host, listener.getsockname()[1])
    app = create_app(settings, on_open=lambda application: _opened(application, address))
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=int(DRAIN_GRACE_S) + 5,
        server_header=False,
    )
    server = _Server(config, app)
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn handles both while it serves; once it has stopped it raises them again, which would cut the end off.
        signal.signal(number, signal.SIG_IGN)
    try:
        server.run(sockets=[listener])
    finally:
        settings.server_file.unlink(missing_ok=True)
    if not server.started:
        raise typer.Exit(1)


def _listen(settings: Settings) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise SwitchyardError(
            f"Port {settings.port} on {settings.host} cannot be used ({error.strerror}). "
            "Stop what uses it, or choose another: SWITCHYARD_PORT=8001 or --port 8001."
        ) from None
    return listener


def _opened(application: Application, address: str) -> None:
    state = {"url": address, "pid": os.getpid()}
    application.settings.server_file.write_text(json.dumps(state), encoding="utf-8")
    starting = _finish_start(application, address)
    application.starting = asyncio.get_running_loop().create_task(starting, name="finish start")


async def _finish_start(application: Application, address: str) -> None:
    columns = TextColumn("Indexing samples"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}")
    try:
        with Progress(*columns, TimeRemainingColumn(), console=_console, transient=True) as progress:
            task = progress.add_task("", total=None)
            await application.index_samples(
                lambda name, done, total: progress.update(task, description=name, completed=done, total=total)
            )
    except SwitchyardError as error:
        logging.getLogger(__name__).error("the samples could not be indexed: %s", error.message)
        os.kill(os.getpid(), signal.SIGTERM)
        return
    _console.print(f"Switchyard is ready at [bold]{address}[/bold]  (stop with Ctrl+C)")
    await asyncio.to_thread(application.services.load)
    await _warn_without_keys(application)
    await _load_fraud_adapter(application)
    allocator.settle()


async def _warn_without_keys(application: Application) -> None:
    if application.settings.auth == "keys" and not await KeyStore(application.database).list():
        _console.print("Nobody has a key yet. Make one: switchyard keys create OWNER")


async def _load_fraud_adapter(application: Application) -> None:
    """Before the first score asks for it; other questions need not wait."""
    try:
        await application.services.fraud.load()
    except SwitchyardError as error:
        logging.getLogger(__name__).error("the fraud adapter could not be loaded: %s", error.message)


def _configure_logging(settings: Settings) -> None:
    handler = RichHandler(console=_console, show_path=False, rich_tracebacks=False)
    logging.basicConfig(level=settings.log_level.upper(), format="%(name)s: %(message)s", handlers=[handler])
    for noisy in NOISY_LOGGERS:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if settings.mask_pii == "on":
        mask_log_output()
