"""Batches of documents with their quality checks: open one, add documents, finish it, read the report."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from agent.state import DEFAULT_COLLECTION
from server.access.rules import needs
from server.application import Application
from server.dependencies import App, Owner
from server.ingestion.batches import Ingestion, Ingestions
from server.ingestion.quality import PROBES, ProblemCode
from server.inputs import RequestBody, Text

router = APIRouter(prefix="/ingestions", tags=["documents"], dependencies=[needs("documents")])


class IngestionRequest(RequestBody):
    """`POST /ingestions`."""

    collection: Text = DEFAULT_COLLECTION
    probes: list[Annotated[Text, Field(min_length=1, max_length=2000)]] = Field(
        default_factory=list[str],
        max_length=PROBES,
        description="Queries whose findings are compared before and after; else the last questions that were asked.",
    )


class CountsView(BaseModel):
    """The collection in numbers."""

    indexed: int
    failed: int
    waiting: int
    chunks: int
    chunks_in_index: int
    empty: int = Field(description="Indexed documents with hardly any text.")
    duplicate_rate: float = Field(description="Share of the indexed documents that repeat the text of another.")


class ProbeView(BaseModel):
    """The documents that a query found, the best first."""

    query: str
    before: list[str]
    after: list[str]


class ProblemView(BaseModel):
    """Something to look at."""

    code: ProblemCode
    message: str


class QualityReport(BaseModel):
    """What the checks found."""

    counts: CountsView
    probes: list[ProbeView]
    problems: list[ProblemView]


class IngestionView(BaseModel):
    """A batch; `report` is null until it is finished."""

    ingestion_id: str
    collection: str
    report: QualityReport | None
    started_at: float
    finished_at: float | None


class IngestionList(BaseModel):
    """Batches, the newest first."""

    ingestions: list[IngestionView]


@router.post("", response_model=IngestionView, status_code=201)
async def start_ingestion(body: IngestionRequest, app: App, owner: Owner) -> IngestionView:
    """Open a batch before documents are added: notes what probe queries find now."""
    return _view(await _ingestions(app).start(owner, body.collection, body.probes))


@router.post("/{ingestion_id}/finish", response_model=IngestionView)
async def finish_ingestion(ingestion_id: str, app: App, owner: Owner) -> IngestionView:
    """Check the collection after its documents were added: counts, empty texts, duplicates, the probes again."""
    return _view(await _ingestions(app).finish(owner, ingestion_id))


@router.get("", response_model=IngestionList)
async def list_ingestions(app: App, owner: Owner, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> IngestionList:
    """The last batches with their reports."""
    return IngestionList(ingestions=[_view(batch) for batch in await _ingestions(app).list(owner, limit)])


@router.get("/{ingestion_id}", response_model=IngestionView)
async def get_ingestion(ingestion_id: str, app: App, owner: Owner) -> IngestionView:
    """A batch with its report."""
    return _view(await _ingestions(app).get(owner, ingestion_id))


def _ingestions(app: Application) -> Ingestions:
    return Ingestions(app.database, app.services.index)


def _view(batch: Ingestion) -> IngestionView:
    return IngestionView.model_validate(asdict(batch))
