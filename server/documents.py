"""Documents: written down first, then parsed, indexed and kept in step with the vector store."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import RowMapping, delete, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from agent.state import DEFAULT_COLLECTION, TurnContext
from server.db.engine import Database
from server.db.tables import documents
from tools.errors import DocumentError, NotFoundError, SwitchyardError
from tools.knowledge.documents import Page, ParsedDocument
from tools.knowledge.index import ChunkSettings, KnowledgeIndex
from tools.knowledge.load import parse_file

_log = logging.getLogger(__name__)

DocumentStatus = Literal["queued", "indexing", "indexed", "failed"]
_PARALLEL_PARSES = 2
_SLUG_CHARS = 60


@dataclass(frozen=True)
class NewDocument:
    """A document as it came in: the bytes of a file, or a text whose `filename` is its title."""

    owner: str
    content: bytes
    filename: str
    document_id: str | None = None
    title: str | None = None
    collection: str = DEFAULT_COLLECTION
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    chunks: ChunkSettings = field(default_factory=ChunkSettings)
    plain_text: bool = False

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the content."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def id(self) -> str:
        """The given id, or one made of the name and the content, so that the same file is the same document."""
        if self.document_id is not None:
            return self.document_id
        slug = re.sub(r"[^a-z0-9]+", "-", Path(self.filename).stem.lower()).strip("-")[:_SLUG_CHARS]
        return f"{slug or 'document'}-{self.sha256[:8]}"


@dataclass(frozen=True)
class DocumentRow:
    """A stored document."""

    document_id: str
    collection: str
    title: str
    media_type: str
    status: DocumentStatus
    chunks: int
    pages: int | None
    sha256: str
    metadata: dict[str, Any]
    error_code: str | None
    error_message: str | None
    created_at: float
    updated_at: float


class DocumentService:
    """Adds, lists, reads and removes documents. Also the graph's `DocumentTexts`."""

    def __init__(self, database: Database) -> None:
        """Keep rows in `database`; `attach` gives it the index to fill."""
        self._database = database
        self._index: KnowledgeIndex | None = None
        self._parsing = asyncio.Semaphore(_PARALLEL_PARSES)
        self._tasks: set[asyncio.Task[None]] = set()
        self._locks: dict[tuple[str, str, str], asyncio.Lock] = {}

    def attach(self, index: KnowledgeIndex) -> None:
        """Index documents in `index` from now on."""
        self._index = index

    async def add(self, document: NewDocument, *, wait: bool) -> DocumentRow:
        """Write a document down and index it; with `wait`, return when its chunks are searchable.

        A document of the same id is replaced. The same file again changes nothing.

        Raises:
            DocumentError: with `wait`, the file cannot be read; its row says why, too.
        """
        known = await self._find(document.owner, document.collection, document.id)
        if known and _is_same(known, document):
            return known
        await self._write_row(document)
        if wait:
            await self._process(document)
        else:
            task = asyncio.create_task(self._process_quietly(document), name=f"index {document.id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await self.get(document.owner, document.id, document.collection)

    async def get(self, owner: str, document_id: str, collection: str | None = None) -> DocumentRow:
        """A document, in whichever collection it is unless one is named.

        Raises:
            NotFoundError: this owner has no such document.
        """
        row = await self._find(owner, collection, document_id)
        if row is None:
            raise NotFoundError(f"There is no document {document_id!r}.", document_id=document_id)
        return row

    async def list(self, owner: str) -> list[DocumentRow]:
        """An owner's documents, the newest first."""
        query = select(*_COLUMNS).where(documents.c.owner == owner).order_by(documents.c.created_at.desc())
        return await self._database.read(lambda connection: [_row(r) for r in connection.execute(query).mappings()])

    async def text(self, owner: str, document_id: str) -> str | None:
        """A document's text; offsets of chunks and evidence count in it."""
        query = select(documents.c.text).where(documents.c.owner == owner, documents.c.document_id == document_id)
        return await self._database.read(lambda connection: connection.execute(query).scalar())

    async def delete(self, owner: str, document_id: str) -> None:
        """Remove a document: its vectors first, so that no search finds what no row explains.

        Raises:
            NotFoundError: this owner has no such document.
        """
        row = await self.get(owner, document_id)
        async with self._lock(owner, row.collection, document_id):
            await self._require_index().delete(_collection(owner, row.collection), document_id)
            query = delete(documents).where(*_is(owner, row.collection, document_id))
            await self._database.write(lambda connection: connection.execute(query))

    async def fail_unfinished(self) -> int:
        """Mark what an earlier process left unfinished as failed, with advice, and remove what it had indexed of it.

        Returns how many documents.
        """
        unfinished = documents.c.status.in_(("queued", "indexing"))
        query = select(documents.c.owner, documents.c.collection, documents.c.document_id).where(unfinished)
        for owner, collection, document_id in await self._database.read(lambda c: c.execute(query).all()):
            await self._require_index().delete(_collection(owner, collection), document_id)
        values = {
            "status": "failed",
            "error_code": "interrupted",
            "error_message": "The server stopped while this document was read. Upload it again.",
        }
        change = update(documents).where(unfinished).values(values)
        return await self._database.write(lambda connection: connection.execute(change).rowcount)

    async def close(self, grace_s: float) -> None:
        """Give the documents that are being indexed `grace_s` seconds; the next start marks the rest as failed."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=grace_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _process_quietly(self, document: NewDocument) -> None:
        try:
            await self._process(document)
        except SwitchyardError as error:
            _log.info("document %r was not indexed: %s", document.id, error.code)

    async def _process(self, document: NewDocument) -> None:
        async with self._lock(document.owner, document.collection, document.id), self._parsing:
            if _is_same(await self.get(document.owner, document.id, document.collection), document):
                return  # another upload of the same file came first
            await self._set(document, status="indexing")
            try:
                parsed = await asyncio.to_thread(_parser(document))
                indexed = await self._require_index().add(
                    _collection(document.owner, document.collection),
                    document.id,
                    parsed,
                    settings=document.chunks,
                    metadata=dict(document.metadata),
                )
            except SwitchyardError as error:
                await self._fail(document, error.code, error.message)
                raise
            except Exception:
                await self._fail(document, "internal_error", _UNEXPECTED)
                raise
            await self._set(
                document,
                status="indexed",
                title=parsed.title,
                media_type=parsed.media_type,
                chunks=indexed.chunks,
                pages=len(parsed.pages) if parsed.pages[0].number is not None else None,
                text=parsed.text,
            )

    async def _fail(self, document: NewDocument, code: str, message: str) -> None:
        # An earlier version under this id goes, too: the row could not explain what a search found in it.
        await self._require_index().delete(_collection(document.owner, document.collection), document.id)
        await self._set(document, status="failed", error_code=code, error_message=message)

    async def _write_row(self, document: NewDocument) -> None:
        now = time.time()
        row = {
            "owner": document.owner,
            "collection": document.collection,
            "document_id": document.id,
            "title": document.title or document.filename,
            "media_type": "",
            "status": "queued",
            "chunks": 0,
            "pages": None,
            "sha256": document.sha256,
            "text": None,
            "metadata": dict(document.metadata),
            "error_code": None,
            "error_message": None,
            "created_at": now,
            "updated_at": now,
        }
        changes = {name: value for name, value in row.items() if name != "created_at"}
        upsert = sqlite_insert(documents).values(row)
        upsert = upsert.on_conflict_do_update(index_elements=["owner", "collection", "document_id"], set_=changes)
        await self._database.write(lambda connection: connection.execute(upsert))

    async def _set(self, document: NewDocument, **values: Any) -> None:
        identity = _is(document.owner, document.collection, document.id)
        query = update(documents).where(*identity).values(updated_at=time.time(), **values)
        await self._database.write(lambda connection: connection.execute(query))

    async def _find(self, owner: str, collection: str | None, document_id: str) -> DocumentRow | None:
        query = select(*_COLUMNS).where(documents.c.owner == owner, documents.c.document_id == document_id)
        if collection is not None:
            query = query.where(documents.c.collection == collection)
        row = await self._database.read(lambda connection: connection.execute(query).mappings().first())
        return None if row is None else _row(row)

    def _lock(self, owner: str, collection: str, document_id: str) -> asyncio.Lock:
        return self._locks.setdefault((owner, collection, document_id), asyncio.Lock())

    def _require_index(self) -> KnowledgeIndex:
        assert self._index is not None, "attach an index first"
        return self._index


_COLUMNS = [column for column in documents.c if column.name not in ("owner", "text")]
_UNEXPECTED = "Something went wrong on our side. Upload the document again."


def _row(row: RowMapping) -> DocumentRow:
    return DocumentRow(**row)


def _is_same(known: DocumentRow, document: NewDocument) -> bool:
    """Whether an upload brings nothing new. Under an id of the caller's, title, metadata or chunks may be new."""
    return (
        document.document_id is None
        and document.chunks == ChunkSettings()
        and known.sha256 == document.sha256
        and known.status == "indexed"
    )


def _is(owner: str, collection: str, document_id: str) -> tuple[Any, ...]:
    return (
        documents.c.owner == owner,
        documents.c.collection == collection,
        documents.c.document_id == document_id,
    )


def _collection(owner: str, collection: str) -> str:
    return TurnContext(owner=owner, collection=collection).index_collection


def _parser(document: NewDocument) -> Callable[[], ParsedDocument]:
    if document.plain_text:
        return lambda: _text_document(document)
    return lambda: _titled(parse_file(document.content, document.filename), document.title)


def _text_document(document: NewDocument) -> ParsedDocument:
    text = document.content.decode("utf-8")
    if not text.strip():
        raise DocumentError("The document has no text.", code="empty_document")
    return ParsedDocument(document.title or document.filename, [Page(text)], "text/markdown")


def _titled(parsed: ParsedDocument, title: str | None) -> ParsedDocument:
    return parsed if title is None else ParsedDocument(title, parsed.pages, parsed.media_type, parsed.metadata)
