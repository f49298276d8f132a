"""The running application as the system that golden cases are put to."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tools.knowledge
from agent.services import sample_documents
from agent.settings import Settings
from agent.state import DEFAULT_COLLECTION, DEFAULT_OWNER, TurnContext
from eval.diagnosis import Passages
from server.application import Application
from server.ingestion.upload import NewDocument
from server.runs.live import RunRequest
from tools.errors import SwitchyardError

# Attached documents must not be found by questions about the samples.
ATTACHMENTS = "golden-attachments"
_KEY_CHARS = 12
_READ_PASSAGES = 5


@dataclass(frozen=True)
class GraphSystem:
    """Puts conversations to the graph as a client does: a thread each, one run a turn."""

    application: Application

    async def ask(self, turns: Sequence[str], document: Path | None) -> Mapping[str, Any]:
        """See `eval.runner.System.ask`."""
        context = TurnContext() if document is None else await self._attach(document)
        result: dict[str, Any] = {}
        thread_id: str | None = None
        for turn in turns:
            run = await self.application.runs.start(RunRequest(DEFAULT_OWNER, turn, thread_id, context))
            result, thread_id = await self._result(run.run_id), run.thread_id
        return result

    async def document_text(self, document_id: str) -> str | None:
        """See `eval.runner.System.document_text`."""
        return await self.application.documents.text(DEFAULT_OWNER, document_id)

    async def passages(self, query: str) -> Passages:
        """See `eval.runner.System.passages`."""
        collection = TurnContext(collection=DEFAULT_COLLECTION).index_collection
        found = await self.application.services.index.search(collection, query, top_k=_READ_PASSAGES)
        return [(passage.document_id, passage.text) for passage in found]

    async def _attach(self, path: Path) -> TurnContext:
        content = await asyncio.to_thread(path.read_bytes)
        new = NewDocument(DEFAULT_OWNER, content, path.name, collection=ATTACHMENTS)
        row = await self.application.documents.add(new, wait=True)
        return TurnContext(collection=ATTACHMENTS, document_ids=(row.document_id,))

    async def _result(self, run_id: str) -> dict[str, Any]:
        try:
            return await self.application.runs.result(DEFAULT_OWNER, run_id)
        except asyncio.CancelledError:
            # The case's time is up, and the run has a task of its own.
            await self.application.runs.cancel(DEFAULT_OWNER, run_id)
            raise


def index_key() -> str:
    """Names an index of the samples: changes with the documents and with the code that reads, cuts and embeds them."""
    package = Path(tools.knowledge.__path__[0])
    digest = hashlib.sha256()
    for path in (*sample_documents(), *sorted(package.rglob("*.py"))):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:_KEY_CHARS]


@contextmanager
def evaluation_settings(settings: Settings) -> Generator[Settings]:
    """Settings with a data directory for evaluations of this index, below the usual one and ours alone meanwhile.

    Raises:
        SwitchyardError: another evaluation is using it.
    """
    folder = settings.data_dir / "eval" / index_key()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SwitchyardError(
                f"Another evaluation is running in {folder}. Wait for it, or set SWITCHYARD_DATA_DIR.",
                code="evaluation_running",
            ) from None
        # A case that repeats another one's question is to be answered anew, and nobody is there to decide.
        measured = {"data_dir": folder, "samples": "on", "answer_cache": "off", "review": "off"}
        yield settings.model_copy(update=measured)
