"""POST /search: the passages that answers are made from."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from agent.state import DEFAULT_COLLECTION, TurnContext
from server.access.rules import needs
from server.dependencies import App, Owner
from server.inputs import Flag, RequestBody, Text, Whole
from tools.knowledge.documents import Passage
from tools.knowledge.rerank import RERANK_DEPTH, rerank
from tools.knowledge.retrieve import SearchMode
from tools.knowledge.store import Where

router = APIRouter(tags=["search"], dependencies=[needs("chat", "documents")])


class Filters(RequestBody):
    """Restricts a search."""

    document_ids: list[Text] = Field(default_factory=list[str], max_length=500)
    metadata: dict[str, str | int | bool] = Field(default_factory=dict[str, "str | int | bool"])


class SearchRequest(RequestBody):
    """A search."""

    query: Annotated[Text, Field(min_length=1, max_length=10_000)] = Field(examples=["dispute window credit card"])
    top_k: Whole = Field(default=5, ge=1, le=100)
    mode: SearchMode = "hybrid"
    rerank: Flag = Field(default=False, description="Order the passages by their best sentence, or by the reranker.")
    filters: Filters = Field(default_factory=Filters)
    collection: Text = DEFAULT_COLLECTION


class SearchResult(BaseModel):
    """A passage."""

    document_id: str
    chunk_id: str
    title: str
    text: str
    page: int | None
    score: float
    metadata: dict[str, Any]


class SearchResults(BaseModel):
    """Passages, best first."""

    results: list[SearchResult]


@router.post("/search", response_model=SearchResults)
async def search(body: SearchRequest, app: App, owner: Owner) -> SearchResults:
    """The best passages for a query, by meaning and by words (`hybrid`), or by one of the two."""
    collection = TurnContext(owner=owner, collection=body.collection).index_collection
    where = Where(document_ids=body.filters.document_ids, metadata=body.filters.metadata)
    services = app.services
    depth = max(body.top_k, RERANK_DEPTH) if body.rerank else body.top_k
    passages = await services.index.search(collection, body.query, top_k=depth, mode=body.mode, where=where)
    if body.rerank:
        found = passages
        passages = await services.compute(lambda: rerank(services.reranker, body.query, found))
    return SearchResults(results=[_result(passage) for passage in passages[: body.top_k]])


def _result(passage: Passage) -> SearchResult:
    return SearchResult(
        document_id=passage.document_id,
        chunk_id=passage.chunk_id,
        title=passage.title,
        text=passage.text,
        page=passage.page,
        score=passage.score,
        metadata=dict(passage.metadata),
    )
