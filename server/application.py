"""The running application: its parts, in the order in which they open and close."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from agent.services import Services, open_services, sample_documents
from agent.settings import Settings
from agent.state import DEFAULT_OWNER
from graphs.switchyard import Switchyard, build_graph
from server.access.service import Access, open_access
from server.audit.retention import keep_pruned
from server.checkpoints import Checkpoints
from server.corrections.store import CorrectionStore
from server.data_directory import directory_name, owned_data_directory
from server.db.engine import Database
from server.documents import DocumentService
from server.ingestion.upload import NewDocument
from server.langgraph.graph_calls import graph_call_again
from server.retention import Retention
from server.reviews.desk import ReviewDesk
from server.reviews.store import ReviewStore
from server.runs.manager import RunManager
from server.runs.store import RunStore
from server.storage import open_app_database
from server.thread_states import open_thread_states
from server.traces import tracing

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
    access: Access
    reviews: ReviewDesk
    corrections: CorrectionStore
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
        # A run that began meanwhile has lost its row, and may have written: the id's next owner must find nothing.
        await self.runs.thread_idle(thread_id)
        await self.checkpoints.adelete_thread(thread_id)

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
        DatabaseUnavailableError: the database that the settings name cannot be used.
        SwitchyardError: a model file or the models file cannot be used.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(owned_data_directory(settings.data_dir))
        traces = stack.enter_context(tracing(settings))
        database = await asyncio.to_thread(open_app_database, settings)
        stack.callback(database.close)
        documents = DocumentService(database, settings.upload_folder, settings.ocr)
        services = await asyncio.to_thread(open_services, settings, documents)
        stack.callback(services.close)
        documents.attach(services.index)
        stack.push_async_callback(documents.close, DRAIN_GRACE_S)
        checkpoints = await stack.enter_async_context(open_thread_states(settings))
        graph = build_graph(services, checkpoints)
        store = RunStore(database, directory_name(settings.data_dir))
        await documents.fail_unfinished()
        runs = RunManager(
            graph,
            store,
            checkpoints,
            graph_call_again,
            max_concurrent=settings.max_concurrent_runs,
            max_waiting=settings.max_waiting_runs,
            traces=traces,
        )
        access = open_access(settings, database)
        stack.push_async_callback(access.close)
        reviews = ReviewDesk(ReviewStore(database), runs, overdue_hours=settings.review_hours)
        # The data directory is ours, so that whoever held a lease in its name is gone.
        await runs.recover(everything=not database.shared, own=True)
        for work in (runs.keep(), Retention(settings, database, checkpoints).prune_forever()):
            await stack.enter_async_context(_going_on(work))
        if settings.audit_retention_days:
            await stack.enter_async_context(_going_on(keep_pruned(database, settings.audit_retention_days)))
        application = Application(
            settings,
            database,
            documents,
            services,
            checkpoints,
            graph,
            store,
            runs,
            access,
            reviews,
            CorrectionStore(database),
        )
        stack.push_async_callback(application.stop)
        await stack.enter_async_context(reviews.kept(alone=not database.shared))
        yield application


@asynccontextmanager
async def _going_on(work: Coroutine[None, None, None]) -> AsyncGenerator[None]:
    """Do something beside everything else, until the end of the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
