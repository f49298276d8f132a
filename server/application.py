"""The running application: its parts, in the order in which they open and close."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from agent.services import Services, open_services, sample_documents
from agent.settings import Settings
from agent.state import DEFAULT_OWNER
from graphs.switchyard import Switchyard, build_graph
from server.checkpoints import Checkpoints, open_checkpoints
from server.data_directory import owned_data_directory
from server.db.engine import Database, open_database
from server.documents import DocumentService
from server.ingestion.upload import NewDocument
from server.runs.manager import RunManager
from server.runs.store import RunStore
from server.traces import tracing

_log = logging.getLogger(__name__)

DRAIN_GRACE_S = 5.0
Progress = Callable[[str, int, int], None]


@dataclass
class Application:
    """Everything that serves requests."""

    settings: Settings
    database: Database
    documents: DocumentService
    services: Services
    checkpoints: Checkpoints
    graph: Switchyard
    store: RunStore
    runs: RunManager
    started_at: float = field(default_factory=time.time)
    samples_ready: bool = False
    stopping: bool = False
    starting: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether questions can be answered: models loaded, samples indexed, not shutting down."""
        return self.samples_ready and not self.stopping

    async def index_samples(self, progress: Progress | None = None) -> None:
        """Index the sample documents that are not indexed yet; `progress(name, done, total)` is told after each."""
        if self.settings.samples == "on":
            known = {row.document_id for row in await self.documents.list(DEFAULT_OWNER) if row.status == "indexed"}
            files = [file for file in sample_documents() if file.name not in known]
            for done, file in enumerate(files, start=1):
                content = await asyncio.to_thread(file.read_bytes)
                await self.documents.add(NewDocument(DEFAULT_OWNER, content, file.name, file.name), wait=True)
                if progress:
                    progress(file.name, done, len(files))
        self.samples_ready = True

    async def delete_thread(self, owner: str, thread_id: str) -> None:
        """Remove a thread with its runs, events and checkpoints.

        Raises:
            NotFoundError: this owner has no such thread.
        """
        await self.store.thread(owner, thread_id)
        await self.runs.thread_idle(thread_id)
        await self.checkpoints.adelete_thread(thread_id)
        await self.store.delete_thread(owner, thread_id)

    async def stop(self) -> None:
        """Take no more runs and let the live ones end: their readers get a terminal event. Samples can wait."""
        self.stopping = True
        if self.starting is not None:
            self.starting.cancel()
            await asyncio.wait([self.starting])
        await self.runs.drain(DRAIN_GRACE_S)


@asynccontextmanager
async def open_application(settings: Settings) -> AsyncGenerator[Application]:
    """Open everything below the data directory, and close it again.

    Raises:
        DataDirectoryError: the data directory cannot be written, or another process uses it.
        SwitchyardError: a model file or the models file cannot be used.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(owned_data_directory(settings.data_dir))
        traces = stack.enter_context(tracing(settings))
        database = await asyncio.to_thread(open_database, settings.app_database)
        stack.callback(database.close)
        documents = DocumentService(database, settings.upload_folder)
        services = await asyncio.to_thread(open_services, settings, documents)
        stack.callback(services.close)
        documents.attach(services.index)
        stack.push_async_callback(documents.close, DRAIN_GRACE_S)
        checkpoints = await stack.enter_async_context(open_checkpoints(settings.checkpoint_database))
        graph = build_graph(services, checkpoints)
        store = RunStore(database)
        if interrupted := await store.close_unfinished():
            _log.warning("%d runs had been cut off by an earlier stop; their owners are told", interrupted)
        await documents.fail_unfinished()
        runs = RunManager(
            graph,
            store,
            checkpoints,
            max_concurrent=settings.max_concurrent_runs,
            max_waiting=settings.max_waiting_runs,
            traces=traces,
        )
        application = Application(settings, database, documents, services, checkpoints, graph, store, runs)
        stack.push_async_callback(application.stop)
        yield application
