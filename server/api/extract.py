"""POST /extract: a text or a document into a schema."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import AliasChoices, Field, model_validator
from pydantic_core import PydanticCustomError

from agent.nodes.extract import extraction_result
from agent.results import ExtractionResult
from server.access.rules import needs
from server.dependencies import App, Spender
from server.inputs import RequestBody, Text
from server.limits import MAX_DOCUMENT_CHARS
from tools.errors import DocumentError, InputError
from tools.extraction.extract import extract
from tools.extraction.schemas import resolve_schema

router = APIRouter(tags=["extraction"], dependencies=[needs("chat")])


class ExtractRequest(RequestBody):
    """What to read, and into which schema."""

    text: Text | None = Field(default=None, max_length=MAX_DOCUMENT_CHARS, examples=["Total: 12.50 EUR, 3 May 2026"])
    document_id: Text | None = None
    schema_: str | dict[str, Any] = Field(
        validation_alias=AliasChoices("schema"),
        serialization_alias="schema",
        description="`contract`, `invoice`, `receipt`, `dispute_letter`, `transaction`, or a JSON Schema.",
        examples=["receipt"],
    )

    @model_validator(mode="after")
    def _one_source(self) -> ExtractRequest:
        if (self.text is None) == (self.document_id is None):
            raise PydanticCustomError("invalid_request", "Send either `text` or `document_id`.")
        return self


@router.post("/extract", response_model=ExtractionResult)
async def extract_fields(body: ExtractRequest, app: App, caller: Spender) -> ExtractionResult:
    """Read typed fields, each with its place in the text; what is not in the text is null with the reason."""
    schema = await app.services.compute(lambda: resolve_schema(body.schema_))
    text = body.text if body.document_id is None else await document_text(app, caller.owner, body.document_id)
    if not text or not text.strip():
        raise InputError("The text is empty.", code="empty_text")
    async with app.access.budgets.charged(caller):
        found = await extract(text, schema, app.services.models.chain("extract"))
    return extraction_result(found, text, body.document_id)


async def document_text(app: App, owner: str, document_id: str) -> str:
    """The text of a stored document.

    Raises:
        NotFoundError: this owner has no such document.
        DocumentError: `document_not_ready`.
    """
    document = await app.documents.get(owner, document_id)
    if document.status != "indexed":
        raise DocumentError(
            f"The document {document_id!r} is {document.status}; it has no text yet.", code="document_not_ready"
        )
    return await app.documents.text(owner, document_id) or ""
