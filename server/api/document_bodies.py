"""The bodies of the document routes, checked once."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from agent.state import DEFAULT_COLLECTION
from server.ingestion.upload import NewDocument, SyncedFile
from server.inputs import RequestBody, Text, Whole, bounded
from server.limits import MAX_DOCUMENT_CHARS
from tools.errors import InputError
from tools.knowledge.chunking import ChunkingStrategy, ChunkSettings

MAX_BATCH = 500
Metadata = Annotated[dict[str, str | int | float | bool | None], AfterValidator(bounded)]
DocumentId = Annotated[Text, Field(min_length=1, max_length=512)]


class ChunkOptions(RequestBody):
    """How documents are cut, in tokens of the embedding model (which reads 256 at most)."""

    chunk_size: Whole = Field(default=200, ge=16, le=240)
    chunk_overlap: Whole = Field(default=20, ge=0, le=100)
    chunking: ChunkingStrategy = Field(
        default="recursive",
        description="`recursive` follows the structure, `fixed` counts tokens, `semantic` also sees topics change.",
    )

    def settings(self) -> ChunkSettings:
        """The same as the index takes it."""
        if self.chunk_overlap >= self.chunk_size:
            raise InputError("chunk_overlap must be smaller than chunk_size.", code="invalid_chunking")
        return ChunkSettings(self.chunk_size, self.chunk_overlap, self.chunking)


class TextDocument(RequestBody):
    """A document given as text (Markdown is understood)."""

    id: DocumentId | None = Field(default=None, examples=["policy-7"])
    title: Annotated[Text, Field(min_length=1, max_length=500)] = Field(examples=["Travel notices"])
    text: Annotated[Text, Field(max_length=MAX_DOCUMENT_CHARS)] = Field(examples=["A travel notice lasts 90 days."])
    metadata: Metadata = Field(default_factory=dict[str, "str | int | float | bool | None"])


class TextUpload(TextDocument, ChunkOptions):
    """`POST /documents` as JSON."""

    collection: Text = DEFAULT_COLLECTION


class FileUpload(ChunkOptions):
    """The fields beside `file` in a multipart upload."""

    id: DocumentId | None = None
    title: Annotated[Text, Field(min_length=1, max_length=500)] | None = None
    collection: Text = DEFAULT_COLLECTION
    sync_source: Annotated[Text, Field(min_length=1, max_length=4096)] | None = None
    sync_path: Annotated[Text, Field(min_length=1, max_length=4096)] | None = None
    sync_revision: Annotated[Text, Field(min_length=1, max_length=512)] | None = None

    @property
    def synced(self) -> SyncedFile | None:
        """Where the file comes from, for one that `POST /documents/sync` asked for."""
        given = [value for value in (self.sync_source, self.sync_path, self.sync_revision) if value is not None]
        if len(given) in (1, 2):
            raise InputError("sync_source, sync_path and sync_revision belong together.", code="invalid_sync")
        return SyncedFile(*given) if given else None

    def document(self, owner: str, filename: str, content: bytes) -> NewDocument:
        """The file with its fields as a document of `owner`."""
        return NewDocument(
            owner=owner,
            content=content,
            filename=filename.replace("\x00", "") or "document",
            document_id=self.id,
            title=self.title,
            collection=self.collection,
            chunks=self.settings(),
            synced=self.synced,
        )


class Batch(ChunkOptions):
    """`POST /documents/batch`."""

    documents: list[TextDocument] = Field(min_length=1, max_length=MAX_BATCH)
    collection: Text = DEFAULT_COLLECTION


class RetryRequest(RequestBody):
    """`POST /documents/retry`."""

    ids: list[DocumentId] = Field(min_length=1, max_length=MAX_BATCH)
    collection: Text | None = Field(default=None, description="Where an id is in several.")
