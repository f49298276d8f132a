"""A document as it comes in, and how its bytes are read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Any

from agent.state import DEFAULT_COLLECTION, TurnContext
from tools.errors import DocumentError
from tools.knowledge.chunking import ChunkSettings
from tools.knowledge.documents import Page, ParsedDocument
from tools.knowledge.load import parse_file
from tools.knowledge.ocr import Ocr

_SLUG_CHARS = 60


@dataclass(frozen=True)
class DocumentKey:
    """Names a document."""

    owner: str
    collection: str
    document_id: str

    @property
    def index_collection(self) -> str:
        """The collection of the knowledge index that holds the document's chunks."""
        return TurnContext(owner=self.owner, collection=self.collection).index_collection


@dataclass(frozen=True)
class Source:
    """What it takes beside the bytes to read a document again. `title` is the one that the caller gave."""

    filename: str
    title: str | None = None
    plain_text: bool = False
    chunks: ChunkSettings = field(default_factory=ChunkSettings)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values; `TypeAdapter(Source)` reads them back."""
        return asdict(self)

    def parse(self, content: bytes, stopping: Event | None = None, ocr: Ocr | None = None) -> ParsedDocument:
        """Turn the bytes into text, scans through `ocr`, or give up once `stopping` is set. Blocks.

        Raises:
            DocumentError: see `tools.knowledge.load.parse_file`.
        """
        if self.plain_text:
            return self._text(content.decode("utf-8"))
        parsed = parse_file(content, self.filename, stopping=stopping, ocr=ocr)
        if self.title is None:
            return parsed
        return ParsedDocument(self.title, parsed.pages, parsed.media_type, parsed.metadata)

    def _text(self, text: str) -> ParsedDocument:
        if not text.strip():
            raise DocumentError("The document has no text.", code="empty_document")
        return ParsedDocument(self.title or self.filename, [Page(text)], "text/markdown")


@dataclass(frozen=True)
class SyncedFile:
    """Where a synced document comes from: a folder or bucket, a path inside it, and the version that was read there.

    `revision` changes with the file: the watermark up to which the file is known.
    """

    source: str
    path: str
    revision: str

    @property
    def document_id(self) -> str:
        """The id of the file's document: all versions of a file are one document."""
        digest = hashlib.sha256(f"{self.source}\0{self.path}".encode()).hexdigest()
        return f"{slug(self.path)}-{digest[:16]}"


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
    synced: SyncedFile | None = None

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the content."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def id(self) -> str:
        """The given id, that of the synced file, or one made of name and content: the same file, the same document."""
        if self.document_id is None and self.synced is not None:
            return self.synced.document_id
        return self.document_id or f"{slug(self.filename)}-{self.sha256[:8]}"

    @property
    def key(self) -> DocumentKey:
        """Names the document."""
        return DocumentKey(self.owner, self.collection, self.id)

    @property
    def source(self) -> Source:
        """What it takes beside the bytes to read it again."""
        return Source(self.filename, self.title, self.plain_text, self.chunks)


def slug(filename: str) -> str:
    """A file's name without its ending as it can stand in an id: lower case, hyphens, at most 60 characters."""
    return re.sub(r"[^a-z0-9]+", "-", Path(filename).stem.lower()).strip("-")[:_SLUG_CHARS] or "document"
