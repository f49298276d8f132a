"""The table of documents: what is known of each, and which of them wait, work, are done or failed."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, RowMapping, delete, select, update

from server.audit.entry import AuditEntry
from server.corrections.store import forget_document
from server.db.dialects import insert_into
from server.db.engine import Database
from server.db.tables import documents
from server.ingestion.upload import DocumentKey, NewDocument, Source, SyncedFile

DocumentStatus = Literal["queued", "indexing", "indexed", "failed"]

_COLUMNS = [column for column in documents.c if column.name not in ("text", "text_sha256")]
_SYNCED = ("sync_source", "sync_path", "sync_revision")
_SOURCE = TypeAdapter(Source)


@dataclass(frozen=True)
class DocumentRow:
    """A stored document. `attempts` counts how often it was tried since it came in.

    `source` and `upload_id` say how to read it again; both are `None` for rows of versions that did not keep them.
    """

    owner: str
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
    attempts: int
    source: Source | None
    upload_id: str | None
    synced: SyncedFile | None
    created_at: float
    updated_at: float

    @property
    def key(self) -> DocumentKey:
        """Names the document."""
        return DocumentKey(self.owner, self.collection, self.document_id)

    def is_version(self, document: NewDocument) -> bool:
        """Whether this is what `document` would become: the same content, read and labelled the same way."""
        return (
            self.sha256 == document.sha256
            and self.source == document.source
            and self.metadata == dict(document.metadata)
        )


class DocumentRows:
    """Reads and writes documents' rows. Whoever asks for a person's documents names the owner."""

    def __init__(self, database: Database) -> None:
        """Keep rows in `database`."""
        self._database = database

    async def put(self, document: NewDocument, upload_id: str) -> str | None:
        """Write a document down as queued, in place of an earlier version.

        What is indexed or waits already stays as it is. Returns the upload that is not needed any more, if any.
        """

        def write(connection: Connection) -> str | None:
            known = _first(connection, *_is(document.key))
            if known and known.status != "failed" and known.is_version(document):
                return upload_id
            values = _queued(document, upload_id)
            changes = {name: value for name, value in values.items() if name != "created_at"}
            upsert = insert_into(connection, documents).values(values)
            keys = ["owner", "collection", "document_id"]
            connection.execute(upsert.on_conflict_do_update(index_elements=keys, set_=changes))
            # Whoever works on an earlier upload discards it when done.
            return known.upload_id if known and known.status != "indexing" else None

        return await self._database.write(write)

    async def find(self, owner: str, collection: str | None, document_id: str) -> DocumentRow | None:
        """A document, in whichever collection it is unless one is named."""
        where = [documents.c.owner == owner, documents.c.document_id == document_id]
        if collection is not None:
            where.append(documents.c.collection == collection)
        return await self._database.read(lambda connection: _first(connection, *where))

    async def list(self, owner: str, status: DocumentStatus | None = None) -> list[DocumentRow]:
        """An owner's documents, the newest first."""
        query = select(*_COLUMNS).where(documents.c.owner == owner).order_by(documents.c.created_at.desc())
        if status is not None:
            query = query.where(documents.c.status == status)
        return await self._database.read(lambda connection: [_row(r) for r in connection.execute(query).mappings()])

    async def synced(self, owner: str, collection: str, source: str) -> list[DocumentRow]:
        """The documents of a collection that come from a folder or bucket."""
        where = (
            documents.c.owner == owner,
            documents.c.collection == collection,
            documents.c.sync_source == source,
        )
        query = select(*_COLUMNS).where(*where)
        return await self._database.read(lambda connection: [_row(r) for r in connection.execute(query).mappings()])

    async def mark(self, key: DocumentKey, file: SyncedFile) -> None:
        """Note that a version of a file has nothing new."""
        query = update(documents).where(*_is(key)).values(_synced(file))
        await self._database.write(lambda connection: connection.execute(query))

    async def text(self, owner: str, document_id: str) -> str | None:
        """A document's text."""
        query = select(documents.c.text).where(documents.c.owner == owner, documents.c.document_id == document_id)
        return await self._database.read(lambda connection: connection.execute(query).scalar())

    async def start(self, key: DocumentKey) -> DocumentRow | None:
        """Take a queued document to work on; `None` when it is not queued (any more)."""

        def write(connection: Connection) -> DocumentRow | None:
            queued = (*_is(key), documents.c.status == "queued")
            values = {"status": "indexing", "attempts": documents.c.attempts + 1, "updated_at": time.time()}
            changed = connection.execute(update(documents).where(*queued).values(values)).rowcount
            return _first(connection, *_is(key)) if changed else None

        return await self._database.write(write)

    async def finish(self, started: DocumentRow, **values: Any) -> bool:
        """Write the outcome of what `start` gave; returns false where another upload has taken its place meanwhile."""
        mine = (*_is(started.key), documents.c.upload_id == started.upload_id)
        query = update(documents).where(*mine).values(updated_at=time.time(), **values)
        return await self._database.write(lambda connection: connection.execute(query).rowcount) > 0

    async def requeue(self, key: DocumentKey) -> bool:
        """Let a failed document wait for another attempt; returns whether it had failed."""
        failed = (*_is(key), documents.c.status == "failed")
        values = {"status": "queued", "error_code": None, "error_message": None, "updated_at": time.time()}
        query = update(documents).where(*failed).values(values)
        return await self._database.write(lambda connection: connection.execute(query).rowcount) > 0

    async def delete(self, key: DocumentKey) -> None:
        """Remove a document's row and the corrections of what was read from it, and say so in the audit log."""
        audit = self._database.audit
        entry = AuditEntry("document_deleted", key.owner, subject=f"{key.collection}/{key.document_id}")

        def write(connection: Connection) -> None:
            if connection.execute(delete(documents).where(*_is(key))).rowcount:
                forget_document(connection, key.owner, key.document_id)
                audit.append(connection, entry)

        await self._database.write(write)

    async def unfinished(self, uploads: Collection[str] | None = None) -> list[DocumentKey]:
        """What an earlier process left queued or half indexed, whoever owns it; only of these `uploads`, if given."""
        query = select(documents.c.owner, documents.c.collection, documents.c.document_id).where(*_unfinished(uploads))
        return await self._database.read(lambda c: [DocumentKey(*row) for row in c.execute(query).all()])

    async def fail_unfinished(self, code: str, message: str, uploads: Collection[str] | None = None) -> int:
        """Mark what `unfinished` lists as failed; returns how many."""
        values = {"status": "failed", "error_code": code, "error_message": message}
        query = update(documents).where(*_unfinished(uploads)).values(values)
        return await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def failed_uploads(self) -> list[str]:
        """The uploads that can be tried again, whoever owns them."""
        query = select(documents.c.upload_id).where(documents.c.status == "failed", documents.c.upload_id.is_not(None))
        return await self._database.read(lambda connection: list(connection.execute(query).scalars()))


def _unfinished(uploads: Collection[str] | None) -> Sequence[ColumnElement[bool]]:
    where = [documents.c.status.in_(("queued", "indexing"))]
    if uploads is not None:
        where.append(documents.c.upload_id.in_(uploads))
    return where


def _is(key: DocumentKey) -> tuple[ColumnElement[bool], ...]:
    return (
        documents.c.owner == key.owner,
        documents.c.collection == key.collection,
        documents.c.document_id == key.document_id,
    )


def _first(connection: Connection, *where: ColumnElement[bool]) -> DocumentRow | None:
    row = connection.execute(select(*_COLUMNS).where(*where)).mappings().first()
    return None if row is None else _row(row)


def _row(row: RowMapping) -> DocumentRow:
    values: dict[str, Any] = {**row}
    if values["source"] is not None:
        values["source"] = _SOURCE.validate_python(values["source"])
    source, path, revision = (values.pop(name) for name in _SYNCED)
    return DocumentRow(**values, synced=None if source is None else SyncedFile(source, path, revision))


def _synced(file: SyncedFile | None) -> dict[str, str | None]:
    values = (None, None, None) if file is None else (file.source, file.path, file.revision)
    return dict(zip(_SYNCED, values, strict=True))


def _queued(document: NewDocument, upload_id: str) -> dict[str, Any]:
    now = time.time()
    return {
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
        "text_sha256": None,
        "metadata": dict(document.metadata),
        "error_code": None,
        "error_message": None,
        "attempts": 0,
        "source": document.source.as_json(),
        "upload_id": upload_id,
        **_synced(document.synced),
        "created_at": now,
        "updated_at": now,
    }
