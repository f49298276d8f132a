"""Documents: upload, list, read, delete."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from server.access.rules import needs
from server.api.document_bodies import Batch, FileUpload, RetryRequest, TextDocument, TextUpload
from server.dependencies import App, Owner
from server.ingestion.rows import DocumentRow, DocumentStatus
from server.ingestion.upload import NewDocument
from server.inputs import RequestBody
from tools.errors import InputError, SwitchyardError
from tools.knowledge.chunking import ChunkSettings

router = APIRouter(prefix="/documents", tags=["documents"])

_Body = TypeVar("_Body", bound=RequestBody)
_READ = [needs("chat", "documents")]
_WRITE = [needs("documents")]


class Accepted(BaseModel):
    """A document that was written down."""

    document_id: str
    chunks: int
    status: DocumentStatus


class BatchFailure(BaseModel):
    """A document of a batch that could not be indexed."""

    id: str
    error: str
    message: str


class BatchResult(BaseModel):
    """What came of a batch; the chunks of `indexed` documents are searchable."""

    indexed: int
    failed: list[BatchFailure]


class DocumentFailure(BaseModel):
    """Why a document could not be read."""

    code: str
    message: str


class DocumentView(BaseModel):
    """A document."""

    document_id: str
    collection: str
    title: str
    media_type: str
    status: DocumentStatus
    chunks: int
    pages: int | None
    sha256: str
    metadata: dict[str, Any]
    error: DocumentFailure | None
    attempts: int = Field(description="How often it was tried since it came in.")
    created_at: float
    updated_at: float
    text: str | None = Field(default=None, description="Only with `include=text`.")


class DocumentList(BaseModel):
    """Documents, the newest first."""

    documents: list[DocumentView]


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": TextUpload.model_json_schema(ref_template="#/components/schemas/{model}")},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        **FileUpload.model_json_schema()["properties"],
                    },
                }
            },
        },
    }
}


@router.post(
    "",
    response_model=Accepted,
    status_code=202,
    responses={201: {"model": Accepted}},
    openapi_extra=_BODY,
    dependencies=_WRITE,
)
async def add_document(
    request: Request,
    response: Response,
    app: App,
    owner: Owner,
    wait: Annotated[bool, Query(description="Answer when the document is searchable (201).")] = False,
) -> Accepted:
    """Add a document: a file (PDF, DOCX, HTML, Markdown, text, CSV, EML) or a JSON text. The same id replaces it."""
    row = await app.documents.add(await _read_upload(request, owner), wait=wait)
    response.status_code = 201 if wait else 202
    return accepted(row)


@router.post("/batch", response_model=BatchResult, dependencies=_WRITE)
async def add_documents(body: Batch, app: App, owner: Owner) -> BatchResult:
    """Add up to 500 texts; one that fails does not stop the others."""
    failed: list[BatchFailure] = []
    for position, document in enumerate(body.documents):
        new = _text_document(document, owner, body.collection, body.settings())
        try:
            await app.documents.add(new, wait=True)
        except SwitchyardError as error:
            failed.append(BatchFailure(id=document.id or str(position), error=error.code, message=error.message))
    return BatchResult(indexed=len(body.documents) - len(failed), failed=failed)


@router.post("/retry", response_model=BatchResult, dependencies=_WRITE)
async def retry_documents(body: RetryRequest, app: App, owner: Owner) -> BatchResult:
    """Try failed documents again, from the files that were kept; one that fails again does not stop the others."""
    failed: list[BatchFailure] = []
    for document_id in body.ids:
        try:
            await app.documents.retry(owner, document_id, body.collection)
        except SwitchyardError as error:
            failed.append(BatchFailure(id=document_id, error=error.code, message=error.message))
    return BatchResult(indexed=len(body.ids) - len(failed), failed=failed)


@router.get("", response_model=DocumentList, dependencies=_READ)
async def list_documents(
    app: App,
    owner: Owner,
    status: Annotated[DocumentStatus | None, Query(description="`failed` lists the dead letters.")] = None,
) -> DocumentList:
    """The owner's documents; those that failed say why, and `POST /documents/retry` tries them again."""
    return DocumentList(documents=[_view(row) for row in await app.documents.list(owner, status)])


@router.get("/{document_id:path}", response_model=DocumentView, dependencies=_READ)
async def get_document(
    document_id: str, app: App, owner: Owner, include: Annotated[Literal["text"] | None, Query()] = None
) -> DocumentView:
    """A document; with `include=text` its text, in which citations and evidence can be found."""
    view = _view(await app.documents.get(owner, document_id))
    if include == "text":
        view.text = await app.documents.text(owner, document_id)
    return view


@router.delete("/{document_id:path}", status_code=204, dependencies=_WRITE)
async def delete_document(
    document_id: str,
    app: App,
    owner: Owner,
    collection: Annotated[str | None, Query(description="Where an id is in several.")] = None,
) -> None:
    """Remove a document and everything that was indexed from it."""
    await app.documents.delete(owner, document_id, collection)


async def _read_upload(request: Request, owner: str) -> NewDocument:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _read_file(request, owner)
    if kind == "application/json":
        body = _validate(TextUpload, await request.body())
        return _text_document(body, owner, body.collection, body.settings())
    raise HTTPException(415, "Send a file as multipart/form-data (field `file`) or JSON with `title` and `text`.")


async def _read_file(request: Request, owner: str) -> NewDocument:
    async with request.form(max_files=1, max_fields=20) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise InputError("The form has no file in its field `file`.", code="missing_file")
        options = _validate(FileUpload, {name: value for name, value in form.items() if name != "file"})
        return options.document(owner, file.filename or "", await file.read())


def _text_document(document: TextDocument, owner: str, collection: str, chunks: ChunkSettings) -> NewDocument:
    return NewDocument(
        owner=owner,
        content=document.text.encode(),
        filename=document.title,
        document_id=document.id,
        title=document.title,
        collection=collection,
        metadata=document.metadata,
        chunks=chunks,
        plain_text=True,
    )


def _validate(model: type[_Body], data: Any) -> _Body:
    try:
        return model.model_validate_json(data) if isinstance(data, bytes) else model.model_validate(data)
    except ValidationError as error:
        details = [{**problem, "loc": ("body", *problem["loc"])} for problem in error.errors(include_url=False)]
        raise RequestValidationError(details) from None


def accepted(row: DocumentRow) -> Accepted:
    """What the caller of an upload hears of it."""
    return Accepted(document_id=row.document_id, chunks=row.chunks, status=row.status)


def _view(row: DocumentRow) -> DocumentView:
    failure = None
    if row.error_code is not None:
        failure = DocumentFailure(code=row.error_code, message=row.error_message or "")
    return DocumentView(
        document_id=row.document_id,
        collection=row.collection,
        title=row.title,
        media_type=row.media_type,
        status=row.status,
        chunks=row.chunks,
        pages=row.pages,
        sha256=row.sha256,
        metadata=row.metadata,
        error=failure,
        attempts=row.attempts,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
