"""Documents: written down first, then parsed, indexed and kept in step with the vector store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from threading import Event
from uuid import uuid4
from weakref import WeakValueDictionary

from server.db.engine import Database
from server.ingestion.rows import DocumentRow, DocumentRows, DocumentStatus
from server.ingestion.spool import Spool
from server.ingestion.sync import SyncPlan, plan_sync
from server.ingestion.upload import DocumentKey, NewDocument
from tools.errors import DocumentError, InputError, NotFoundError, SwitchyardError
from tools.knowledge.documents import ParsedDocument
from tools.knowledge.index import Indexed, KnowledgeIndex
from tools.knowledge.ocr import Ocr

_log = logging.getLogger(__name__)

_PARALLEL_PARSES = 2
_UNEXPECTED = "Something went wrong on our side. Try it again (switchyard failed --retry), or upload it again."
_INTERRUPTED = (
    "The server stopped while this document was read. Try it again (switchyard failed --retry), or upload it again."
)


class DocumentService:
    """Adds, lists, reads and removes documents. Also the graph's `DocumentTexts`."""

    def __init__(self, database: Database, spool: Path, ocr: Ocr | None = None) -> None:
        """Keep rows in `database` and bytes, while they are needed, in `spool`; `attach` gives it the index to fill.

        Scans are read by `ocr`.
        """
        self._rows = DocumentRows(database)
        self._shared = database.shared
        self._spool = Spool(spool)
        self._ocr = ocr
        self._index: KnowledgeIndex | None = None
        self._parsing = asyncio.Semaphore(_PARALLEL_PARSES)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = Event()
        self._locks: WeakValueDictionary[DocumentKey, asyncio.Lock] = WeakValueDictionary()

    def attach(self, index: KnowledgeIndex) -> None:
        """Index documents in `index` from now on."""
        self._index = index

    async def add(self, document: NewDocument, *, wait: bool) -> DocumentRow:
        """Write a document down and index it; with `wait`, return when its chunks are searchable.

        A document of the same id is replaced. The same file again changes nothing. Once this returns, the document
        survives a kill: the next start lists it as failed, and `retry` reads it again.

        Raises:
            DocumentError: with `wait`, the file cannot be read; its row says why, too.
            StorageError: the disk does not take it.
        """
        known = await self._rows.find(document.owner, document.collection, document.id)
        if known and known.status == "indexed" and known.is_version(document):
            if document.synced not in (None, known.synced):
                await self._rows.mark(known.key, document.synced)
            return known
        upload_id = uuid4().hex
        await asyncio.to_thread(self._spool.keep, upload_id, document.content)
        await self._discard(await self._rows.put(document, upload_id))
        if wait:
            return await self._indexed(document.key)
        task = asyncio.create_task(self._process_quietly(document.key), name=f"index {document.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await self.get(document.owner, document.id, document.collection)

    async def retry(self, owner: str, document_id: str, collection: str | None = None) -> DocumentRow:
        """Try a document again that failed; returns when its chunks are searchable.

        Raises:
            NotFoundError: this owner has no such document.
            InputError: `not_failed`, there is nothing to try again.
            DocumentError: it failed again, or its file is not kept any more (`source_missing`).
        """
        row = await self.get(owner, document_id, collection)
        if not await self._rows.requeue(row.key):
            raise InputError(f"The document {document_id!r} has not failed.", code="not_failed", status=row.status)
        return await self._indexed(row.key)

    async def get(self, owner: str, document_id: str, collection: str | None = None) -> DocumentRow:
        """A document, in whichever collection it is unless one is named.

        Raises:
            NotFoundError: this owner has no such document.
        """
        row = await self._rows.find(owner, collection, document_id)
        if row is None:
            raise NotFoundError(f"There is no document {document_id!r}.", document_id=document_id)
        return row

    async def list(self, owner: str, status: DocumentStatus | None = None) -> list[DocumentRow]:
        """An owner's documents, the newest first; those that failed are the list of dead letters."""
        return await self._rows.list(owner, status)

    async def plan_sync(self, owner: str, collection: str, source: str, found: Mapping[str, str]) -> SyncPlan:
        """What to upload of a folder or bucket that holds `found`, revisions by path, and what is gone from it."""
        return plan_sync(await self._rows.synced(owner, collection, source), found)

    async def text(self, owner: str, document_id: str) -> str | None:
        """A document's text; offsets of chunks and evidence count in it."""
        return await self._rows.text(owner, document_id)

    async def delete(self, owner: str, document_id: str, collection: str | None = None) -> None:
        """Remove a document: its vectors first, so that no search finds what no row explains.

        Raises:
            NotFoundError: this owner has no such document.
        """
        row = await self.get(owner, document_id, collection)
        async with self._lock(row.key):
            await self._require_index().delete(row.key.index_collection, document_id)
            await self._rows.delete(row.key)
            await self._discard(row.upload_id)

    async def fail_unfinished(self) -> int:
        """Mark what an earlier process left unfinished as failed, with advice, and remove what it had indexed of it.

        Returns how many documents.
        """
        # In a shared database others may be at work: what this process left is what its spool holds.
        uploads = await asyncio.to_thread(self._spool.uploads) if self._shared else None
        for key in await self._rows.unfinished(uploads):
            await self._require_index().delete(key.index_collection, key.document_id)
        failed = await self._rows.fail_unfinished("interrupted", _INTERRUPTED, uploads)
        await asyncio.to_thread(self._spool.sweep, await self._rows.failed_uploads())
        return failed

    async def close(self, grace_s: float) -> None:
        """Give the documents that are being indexed `grace_s` seconds; the next start marks the rest as failed."""
        late = set(self._tasks)
        if late:
            _, late = await asyncio.wait(late, timeout=grace_s)
        self._stopping.set()
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _indexed(self, key: DocumentKey) -> DocumentRow:
        await self._process(key)
        row = await self.get(key.owner, key.document_id, key.collection)
        if row.status == "failed":
            # Another upload of the same document was at work, and failed.
            raise DocumentError(row.error_message or _UNEXPECTED, code=row.error_code)
        return row

    async def _process_quietly(self, key: DocumentKey) -> None:
        try:
            await self._process(key)
        except SwitchyardError as error:
            _log.info("document %r was not indexed: %s", key.document_id, error.code)

    async def _process(self, key: DocumentKey) -> None:
        async with self._lock(key), self._parsing:
            row = await self._rows.start(key)
            if row is None:
                return  # another upload of the same document did the work
            try:
                parsed = await asyncio.to_thread(self._parse, row)
                indexed = await self._require_index().add(
                    key.index_collection,
                    key.document_id,
                    parsed,
                    settings=row.source.chunks if row.source else None,
                    metadata=row.metadata,
                )
            except SwitchyardError as error:
                await self._fail(row, error.code, error.message)
                raise
            except Exception:
                await self._fail(row, "internal_error", _UNEXPECTED)
                raise
            await self._finish(row, parsed, indexed)

    def _parse(self, row: DocumentRow) -> ParsedDocument:
        content = self._spool.read(row.upload_id)
        assert row.source is not None, "a row whose file is kept has its source, too"
        return row.source.parse(content, self._stopping, self._ocr)

    async def _finish(self, row: DocumentRow, parsed: ParsedDocument, indexed: Indexed) -> None:
        text = parsed.text
        await self._rows.finish(
            row,
            status="indexed",
            title=parsed.title,
            media_type=parsed.media_type,
            chunks=indexed.chunks,
            pages=len(parsed.pages) if parsed.pages[0].number is not None else None,
            text=text,
            text_sha256=sha256(text.encode()).hexdigest(),
        )
        await self._discard(row.upload_id)

    async def _fail(self, row: DocumentRow, code: str, message: str) -> None:
        # An earlier version under this id goes, too: the row could not explain what a search found in it.
        await self._require_index().delete(row.key.index_collection, row.document_id)
        if not await self._rows.finish(row, status="failed", error_code=code, error_message=message):
            await self._discard(row.upload_id)

    async def _discard(self, upload_id: str | None) -> None:
        await asyncio.to_thread(self._spool.discard, upload_id)

    def _lock(self, key: DocumentKey) -> asyncio.Lock:
        """One lock a document, for as long as somebody holds it or waits."""
        lock = self._locks.get(key) or asyncio.Lock()
        self._locks[key] = lock
        return lock

    def _require_index(self) -> KnowledgeIndex:
        assert self._index is not None, "attach an index first"
        return self._index
