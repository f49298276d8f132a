"""What commands work on: a running server, or the stores opened in this process. Both speak the API's own JSON."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError
from rich.console import Console

from agent.settings import Settings
from server.cli.terminal import working
from tools.errors import SwitchyardError

Json = dict[str, Any]


class ServerError(SwitchyardError):
    """The server answered with an error of its own, or not at all."""

    code = "server_error"


@dataclass(frozen=True)
class Event:
    """An event of a turn, as `POST /api/v1/chat` streams it."""

    name: str
    data: Json


class Backend(Protocol):
    """The API, wherever it runs. Bodies and answers are those of the route of the same name under /api/v1.

    Every method raises `InputError` for what the caller can mend, with the API's code.
    """

    def chat(self, body: Json) -> AsyncGenerator[Event]:
        """Run a turn and yield its events up to `end`."""
        ...

    async def add_file(self, name: str, content: bytes, fields: Json) -> Json:
        """Add a document and wait until it is searchable: `{document_id, chunks, status}`.

        `fields` are those of the upload form.
        """
        ...

    async def delete(self, document_id: str, collection: str) -> None:
        """Remove a document. Raises `NotFoundError` where there is none."""
        ...

    async def plan_sync(self, body: Json) -> Json:
        """Compare a folder or bucket with its documents: `{upload, unchanged, failed, gone}`."""
        ...

    async def start_ingestion(self, body: Json) -> Json:
        """Open a batch: `{ingestion_id, ...}`."""
        ...

    async def finish_ingestion(self, ingestion_id: str) -> Json:
        """Check the collection after a batch: `{report, ...}`."""
        ...

    async def failed(self) -> list[Json]:
        """The documents that could not be indexed, each with `error` and `attempts`."""
        ...

    async def retry(self, body: Json) -> Json:
        """Try failed documents again: `{indexed, failed: [{id, error, message}]}`."""
        ...

    async def search(self, body: Json) -> Json:
        """Find passages: `{results: [...]}`."""
        ...

    async def extract(self, body: Json) -> Json:
        """Read a text into a schema."""
        ...

    async def score(self, body: Json) -> Json:
        """Score transactions: `{results: [...]}`."""
        ...


class _ServerFile(BaseModel):
    """What a running server writes below its data directory."""

    url: str
    pid: int


def running_server(settings: Settings) -> str | None:
    """The address of the server that owns the data directory, or `None` when none runs.

    Raises:
        ServerError: its process lives but does not answer; opening the stores beside it could harm them.
    """
    import httpx
    import psutil

    try:
        server = _ServerFile.model_validate_json(settings.server_file.read_bytes())
    except (OSError, ValidationError):
        return None
    if not psutil.pid_exists(server.pid):
        return None
    try:
        alive = httpx.get(f"{server.url}/livez", timeout=5, trust_env=False).is_success
    except httpx.ConnectError:
        return None  # the process id was given to another program after a crash
    except httpx.TransportError:
        alive = False
    if not alive:
        raise ServerError(
            f"The server at {server.url} (process {server.pid}) does not answer. Wait a moment, or stop it."
        )
    return server.url


def open_backend(
    settings: Settings, console: Console, *, samples: bool = False
) -> AbstractAsyncContextManager[Backend]:
    """The running server if there is one, else the stores; `samples` indexes the samples if nothing else is there.

    Raises:
        SwitchyardError: neither can be used.
    """
    if (url := running_server(settings)) is not None:
        from server.cli.client import HttpBackend

        return HttpBackend.open(url, settings.api_key)
    with working(console, "Loading"):
        # Takes seconds to import, which a running server saves.
        from server.cli.embedded import open_embedded
    return open_embedded(settings, console, samples=samples)
