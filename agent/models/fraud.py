"""The fraud role's model with the adapter in production; a promotion is picked up while the server runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agent.models.catalog import EndpointConfig
from agent.models.embedded import EmbeddedServer
from agent.models.files import LANGUAGE_MODEL
from agent.models.gateway import ModelGateway
from agent.models.merged import MergedFiles
from agent.models.role_model import RoleModel
from tools.fraud.adapters import POINTER_NAME, find_adapter, packaged_adapter
from tools.fraud.errors import AdapterError
from tools.fraud.manifest import AdapterManifest, load_manifest
from tools.fraud.prompt import load_prompt

_log = logging.getLogger(__name__)

_TASK = "fraud"
# A prompt has about 150 tokens.
_CONTEXT_PER_SLOT = 384
_SLOTS = 4


@dataclass
class ServedFraud:
    """A model, the manifest and folder of its adapter, None for the bare base, and whether both are one file.

    `users` are the scores under way.
    """

    model: RoleModel
    manifest: AdapterManifest | None = None
    folder: Path | None = None
    merged: bool = False
    server: EmbeddedServer | None = None
    users: int = field(default=0)
    retired: bool = field(default=False)

    @property
    def name(self) -> str | None:
        """The adapter's name."""
        return None if self.manifest is None else self.manifest.name

    def close_if_unused(self) -> None:
        """Free the model once it is retired and nobody works with it any more."""
        if self.retired and self.users == 0 and self.server is not None:
            self.server.close()
            self.server = None


class FraudModels:
    """Serves one adapter at a time, on a llama.cpp server of its own: prompt caches leak between adapters that share.

    An adapter that does not fit or is damaged is refused, and the one before keeps serving.
    """

    def __init__(self, gateway: ModelGateway, registry: Path, merged: Path) -> None:
        """Nothing is loaded before the first `load` or `serving`; `merged` is where merged models lie."""
        self._gateway = gateway
        self._registry = registry
        self._merged = MergedFiles(merged)
        self._merges = False
        self._merging: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self._seen: tuple[int, int] | None = None
        self._current: ServedFraud | None = None

    async def load(self) -> None:
        """Load the adapter that the models file names, so that the first score need not wait; up to a second.

        From now on every adapter that serves is merged with its base in the background, once: for processes that stay.
        """
        self._merges = True
        await self._up_to_date()
        self._merge_later()

    async def adapter(self) -> str | None:
        """The name of the adapter that serves, None for the bare base."""
        return (await self._up_to_date()).name

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[ServedFraud]:
        """The model to score with; it stays loaded until the block ends, whatever is promoted meanwhile."""
        served = await self._up_to_date()
        served.users += 1
        try:
            yield served
        finally:
            served.users -= 1
            served.close_if_unused()

    def close(self) -> None:
        """Stop the adapter's server."""
        if self._merging is not None:
            self._merging.cancel()
        if self._current is not None and self._current.server is not None:
            self._current.server.close()
            self._current.server = None

    async def _up_to_date(self) -> ServedFraud:
        state = await asyncio.to_thread(self._pointer_state)
        if self._current is not None and state == self._seen:
            return self._current
        async with self._lock:
            state = await asyncio.to_thread(self._pointer_state)
            if self._current is None:
                self._current = await asyncio.to_thread(self._first)
            elif state != self._seen:
                self._current = await self._exchange(self._current)
                self._merge_later()
            self._seen = state
            return self._current

    async def _exchange(self, old: ServedFraud) -> ServedFraud:
        """What was promoted, or `old` where that is refused."""
        try:
            fresh = await asyncio.to_thread(self._load)
        except AdapterError as error:
            _log.error("adapter refused, %s keeps serving: %s", old.name or "the base model", error.message)
            return old
        old.retired = True
        old.close_if_unused()
        _log.info("fraud adapter %s serves", fresh.name or "none: the base model")
        return fresh

    def _merge_later(self) -> None:
        """One merge at a time; it goes on with what was promoted meanwhile."""
        if self._merges and (self._merging is None or self._merging.done()):
            self._merging = asyncio.get_running_loop().create_task(self._merge(), name="merge fraud adapter")

    async def _merge(self) -> None:
        """Serve each adapter from one file, as soon as that is written."""
        refused: set[str | None] = set()
        while (served := self._current) and served.folder and not served.merged and served.name not in refused:
            try:
                await self._merge_one(served, served.folder)
            except AdapterError as error:
                refused.add(served.name)
                _log.warning("%s keeps serving beside its base, which is slower: %s", served.name, error.message)

    async def _merge_one(self, served: ServedFraud, folder: Path) -> None:
        assert served.manifest is not None
        await self._merged.make(served.manifest, folder / served.manifest.adapter.name)
        async with self._lock:
            if self._current is not served:
                return
            together = await asyncio.to_thread(self._serve, folder)
            if not together.merged:
                together.retired = True
                together.close_if_unused()
                raise AdapterError("llama.cpp cannot load the merged file.")
            self._current, served.retired = together, True
            served.close_if_unused()

    def _first(self) -> ServedFraud:
        try:
            return self._load()
        except AdapterError as error:
            _log.error("adapter refused: %s", error.message)
        folder = packaged_adapter(_TASK)
        return self._bare() if folder is None else self._serve(folder)

    def _load(self) -> ServedFraud:
        """Raises AdapterError when the adapter is unknown, damaged or made for another base, prompt or narrative."""
        wanted = self._gateway.catalog.roles["fraud"].adapter
        folder = None if wanted is None else find_adapter(self._registry, _TASK, wanted)
        return self._bare() if folder is None else self._serve(folder)

    def _bare(self) -> ServedFraud:
        role = self._gateway.catalog.roles["fraud"].model_copy(update={"adapter": None})
        return ServedFraud(self._gateway.bind(role))

    def _serve(self, folder: Path) -> ServedFraud:
        manifest = load_manifest(folder, LANGUAGE_MODEL.sha256, load_prompt())
        role = self._gateway.catalog.roles["fraud"].model_copy(update={"adapter": manifest.name})
        endpoint = self._gateway.catalog.endpoints[role.endpoint]
        if endpoint.kind != "embedded":
            # The operator's server has loaded the adapter under its name, which carries its hash.
            return ServedFraud(self._gateway.bind(role), manifest)
        small = endpoint.model_copy(update={"context": _CONTEXT_PER_SLOT * _SLOTS, "parallel": _SLOTS})
        server = self._serve_merged(manifest, small)
        merged = server is not None
        server = server or EmbeddedServer(LANGUAGE_MODEL.locate(), small, adapter=folder / manifest.adapter.name)
        return ServedFraud(self._gateway.bind(role, server.base_url), manifest, folder, merged, server)

    def _serve_merged(self, manifest: AdapterManifest, endpoint: EndpointConfig) -> EmbeddedServer | None:
        if (file := self._merged.find(manifest)) is None:
            return None
        try:
            return EmbeddedServer(file, endpoint)
        except RuntimeError as error:
            _log.error("the merged file of %s cannot be loaded: %s", manifest.name, error)
            self._merged.discard(manifest)
            return None

    def _pointer_state(self) -> tuple[int, int] | None:
        try:
            found = (self._registry / POINTER_NAME).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino
