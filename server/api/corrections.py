"""Corrections of extractions: a person stores what fields should have been, with the words that say so."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from pydantic import AliasChoices, BaseModel, Field, StrictBool, StrictFloat, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from agent.nodes.extract import place_in
from agent.results import Evidence, ExtractedField, ExtractionResult
from server.access.rules import needs
from server.api.extract import document_text
from server.corrections.rows import CorrectedField, CorrectionRow, CorrectionSource, passage_around
from server.dependencies import App, Owner
from server.inputs import Flag, RequestBody, Text
from server.limits import MAX_DOCUMENT_CHARS
from tools.errors import InputError
from tools.extraction.corrections import Claim, correct
from tools.extraction.schemas import MAX_FIELDS, ExtractionSchema, resolve_schema

router = APIRouter(prefix="/extract/corrections", tags=["extraction"], dependencies=[needs("chat")])

_MAX_VALUE_CHARS = 5000
_MAX_PATH_CHARS = 500

_Words = Annotated[Text, Field(max_length=_MAX_VALUE_CHARS)]
# Strict: a long row of digits is no number.
_Value = _Words | StrictBool | StrictInt | StrictFloat | None
_Path = Annotated[Text, Field(max_length=_MAX_PATH_CHARS)]


class ReadField(RequestBody):
    """A field as `POST /extract` had answered it."""

    value: _Value
    evidence: Evidence | None = None
    confidence: float | None = None
    reason: _Words | None = None


class FieldCorrection(RequestBody):
    """What a field should have been."""

    value: _Value = Field(
        description="The right value, also as people write it: `14 March 2026`, `1,234.50 EUR`; null where the text "
        "has none.",
        examples=["12.50"],
    )
    quote: _Words | None = Field(default=None, description="The words of the text that it was read from.")
    verbatim: Flag = Field(default=True, description="Send `false` for a value that stands nowhere in the text.")
    extracted: ReadField | None = Field(
        default=None, description="The field as `POST /extract` had answered it. With `run_id` it is known."
    )


class CorrectionRequest(RequestBody):
    """Right values of fields that were read from one of `run_id`, `document_id` and `text`."""

    run_id: Text | None = Field(default=None, description="The run whose answer held the extraction.")
    document_id: Text | None = None
    text: Text | None = Field(default=None, max_length=MAX_DOCUMENT_CHARS, examples=["Total: 12.50 EUR, 3 May 2026"])
    schema_: str | dict[str, Any] | None = Field(
        default=None,
        validation_alias=AliasChoices("schema"),
        serialization_alias="schema",
        description="As for `POST /extract`; left out with `run_id`.",
        examples=["receipt"],
    )
    fields: dict[_Path, FieldCorrection] = Field(
        min_length=1,
        max_length=MAX_FIELDS,
        description="By path, such as `line_items[0].amount`.",
        examples=[{"total": {"value": "12.50"}}],
    )

    @model_validator(mode="after")
    def _one_source(self) -> CorrectionRequest:
        if sum(value is not None for value in (self.run_id, self.document_id, self.text)) != 1:
            raise PydanticCustomError("invalid_request", "Send one of `run_id`, `document_id` and `text`.")
        if (self.run_id is None) == (self.schema_ is None):
            raise PydanticCustomError("invalid_request", "Send `schema`, but not with `run_id`.")
        if self.run_id is not None and any(field.extracted for field in self.fields.values()):
            raise PydanticCustomError("invalid_request", "With `run_id` it is known what was `extracted`.")
        return self


class CorrectedValue(BaseModel):
    """A corrected field; `evidence` is null for what the text does not say."""

    value: Any
    evidence: Evidence | None
    verbatim: bool


class StoredCorrections(BaseModel):
    """Corrections as they were stored."""

    run_id: str | None
    document_id: str | None
    schema_name: str = Field(serialization_alias="schema")
    fields: dict[str, CorrectedValue]


class Correction(CorrectedValue):
    """A stored correction of one field."""

    run_id: str | None
    document_id: str | None
    schema_name: str = Field(serialization_alias="schema")
    field: str
    extracted: dict[str, Any] | None = Field(description="`{value}` with what had been read, where that is known.")
    passage: str = Field(description="The text around.")
    created_at: float = Field(description="Seconds since 1970.")


class CorrectionList(BaseModel):
    """A page of corrections, the oldest first."""

    corrections: list[Correction]
    total: int = Field(description="How many there are on all pages together.")


@router.post("", response_model=StoredCorrections, status_code=201)
async def correct_extraction(body: CorrectionRequest, app: App, owner: Owner) -> StoredCorrections:
    """Store what fields should have been. A second correction of a field replaces the first.

    A value must stand in the text, or be marked as not `verbatim`. `switchyard corrections export` makes training rows.
    """
    read = await _from_run(app, owner, body) if body.run_id is not None else await _from_text(app, owner, body)
    fields = await app.services.compute(lambda: [_corrected(read, *item) for item in body.fields.items()])
    input_hash = await app.services.compute(lambda: app.database.audit.key.fingerprint(read.text))
    await app.corrections.put(owner, read.source, fields, input_hash)
    return StoredCorrections(
        run_id=read.source.run_id,
        document_id=read.source.document_id,
        schema_name=read.source.schema_name,
        fields={field.field: CorrectedValue.model_validate(field, from_attributes=True) for field in fields},
    )


@router.get("", response_model=CorrectionList)
async def list_corrections(
    app: App,
    owner: Owner,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> CorrectionList:
    """The owner's corrections."""
    rows, total = await app.corrections.page(owner, limit=limit, offset=offset)
    return CorrectionList(corrections=[_view(row) for row in rows], total=total)


@dataclass(frozen=True)
class _Read:
    """What fields were read from and into; `known` are those of the extraction, where it is known."""

    source: CorrectionSource
    schema: ExtractionSchema
    text: str
    known: Mapping[str, ExtractedField]


async def _from_run(app: App, owner: str, body: CorrectionRequest) -> _Read:
    assert body.run_id is not None
    run = await app.store.get(owner, body.run_id)
    stored = (run.result or {}).get("extraction")
    if stored is None:
        raise InputError("The run's answer is no extraction.", code="no_extraction", run_id=body.run_id)
    found = ExtractionResult.model_validate(stored)
    text = run.message if found.document_id is None else await document_text(app, owner, found.document_id)
    source = CorrectionSource(
        f"run:{run.run_id}", found.schema_name, _sha256(text.encode()), run.run_id, found.document_id
    )
    return _Read(source, resolve_schema(found.schema_name), text, found.fields)


async def _from_text(app: App, owner: str, body: CorrectionRequest) -> _Read:
    named = body.schema_
    assert named is not None
    schema = await app.services.compute(lambda: resolve_schema(named))
    text = body.text if body.document_id is None else await document_text(app, owner, body.document_id)
    if not text or not text.strip():
        raise InputError("The text is empty.", code="empty_text")
    digest = await app.services.compute(lambda: _sha256(text.encode()))
    into = _sha256(orjson.dumps(named, option=orjson.OPT_SORT_KEYS))
    source = CorrectionSource(f"text:{digest}:{into}", schema.name, digest, None, body.document_id)
    return _Read(source, schema, text, {})


def _corrected(read: _Read, path: str, given: FieldCorrection) -> CorrectedField:
    before = _before(read, path, given)
    claim = Claim(given.value, given.quote, given.verbatim, _record_start(read, path, before))
    found = correct(read.schema, path, claim, read.text)
    places = [each for each in (found.evidence, None if before is None else before.evidence) if each is not None]
    return CorrectedField(
        field=path,
        value=found.value,
        evidence=None if found.evidence is None else place_in(read.text, found.evidence).model_dump(),
        verbatim=given.verbatim,
        extracted=None if before is None else {"value": before.value},
        passage=passage_around(read.text, [(place.start, place.end) for place in places]),
    )


def _before(read: _Read, path: str, given: FieldCorrection) -> ExtractedField | ReadField | None:
    """The field as it was extracted. An element that a run's list does not have was not read."""
    if read.source.run_id is None:
        return given.extracted
    return read.known.get(path) or ExtractedField(value=None, evidence=None, confidence=0)


def _record_start(read: _Read, path: str, before: ExtractedField | ReadField | None) -> int | None:
    """Where the element of a list begins that a field is part of."""
    record, bracket, _ = path.rpartition("].")
    if not bracket:
        return None
    beside = [field.evidence for name, field in read.known.items() if name.startswith(f"{record}].")]
    starts = [place.start for place in [*beside, before.evidence if before else None] if place is not None]
    return min(starts, default=None)


def _view(row: CorrectionRow) -> Correction:
    return Correction.model_validate(row, from_attributes=True)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
