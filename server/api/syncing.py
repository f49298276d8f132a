"""POST /documents/sync: what a folder or bucket has that its documents do not."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from agent.state import DEFAULT_COLLECTION
from server.access.rules import needs
from server.dependencies import App, Owner
from server.inputs import RequestBody, Text

router = APIRouter(prefix="/documents", tags=["documents"], dependencies=[needs("documents")])

MAX_FILES = 200_000


class FoundFile(RequestBody):
    """A file of the source as it is now."""

    path: Annotated[Text, Field(min_length=1, max_length=4096)] = Field(description="Inside the source.")
    revision: Annotated[Text, Field(min_length=1, max_length=512)] = Field(description="Changes when the file does.")


class SyncRequest(RequestBody):
    """All files of a folder or bucket."""

    source: Annotated[Text, Field(min_length=1, max_length=4096)] = Field(examples=["file:///srv/policies"])
    files: list[FoundFile] = Field(max_length=MAX_FILES, examples=[[{"path": "fees.md", "revision": "17-2048"}]])
    collection: Text = DEFAULT_COLLECTION


class GoneFile(BaseModel):
    """A document whose file is not in the source any more."""

    path: str
    document_id: str


class SyncAnswer(BaseModel):
    """What to do; nothing is changed by asking."""

    upload: list[str] = Field(description="Paths to upload with sync_source, sync_path and sync_revision.")
    unchanged: int
    failed: int = Field(description="Files that could not be read and have not changed since.")
    gone: list[GoneFile]


@router.post("/sync", response_model=SyncAnswer)
async def plan_sync(body: SyncRequest, app: App, owner: Owner) -> SyncAnswer:
    """Compare a folder or bucket with the documents that came from it: what is new, changed or gone."""
    found = {file.path: file.revision for file in body.files}
    plan = await app.documents.plan_sync(owner, body.collection, body.source, found)
    gone = [GoneFile(path=row.synced.path, document_id=row.document_id) for row in plan.gone if row.synced]
    return SyncAnswer(upload=plan.upload, unchanged=plan.unchanged, failed=plan.failed, gone=gone)
