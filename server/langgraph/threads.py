"""Threads: open, look up, search, describe and delete them; their states now and before."""

from __future__ import annotations

import asyncio
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from langchain_core.runnables import RunnableConfig
from langgraph.errors import InvalidUpdateError

from server.access.rules import needs
from server.dependencies import App, Owner
from server.inputs import ThreadId
from server.langgraph.answers import json_answer
from server.langgraph.bodies import (
    CheckpointReference,
    CheckpointState,
    HistorySearch,
    StateUpdate,
    ThreadCreate,
    ThreadPatch,
    ThreadSearch,
)
from server.langgraph.calls import thread_config
from server.langgraph.graph_calls import checkpoint_keys, require_messages_only
from server.langgraph.thread_store import ThreadStore
from server.langgraph.views import GRAPH_ID, checkpoint_view, state_view, thread_view
from server.runs.rows import ThreadRow
from tools.errors import InputError

router = APIRouter(prefix="/threads", tags=["langgraph: threads"], dependencies=[needs("chat")])


async def get_thread_store(app: App) -> ThreadStore:
    """The threads of the app database."""
    return ThreadStore(app.database)


Threads = Annotated[ThreadStore, Depends(get_thread_store)]


async def get_owned(thread_id: ThreadId, owner: Owner, threads: Threads) -> ThreadRow:
    """The thread in the path, if it is this owner's."""
    return await threads.get(owner, thread_id)


Owned = Annotated[ThreadRow, Depends(get_owned)]


@router.post("")
async def create_thread(body: ThreadCreate, app: App, owner: Owner, threads: Threads) -> Response:
    """Open a thread."""
    thread_id = body.thread_id or str(uuid.uuid4())
    row = await threads.open(owner, thread_id, body.metadata, again=body.if_exists == "do_nothing")
    return await _answer(app, row)


@router.post("/search")
async def search_threads(body: ThreadSearch, app: App, owner: Owner, threads: Threads) -> Response:
    """The threads that fit, with their states."""
    rows = await threads.search(owner, body)
    states = await asyncio.gather(*(app.graph.aget_state(thread_config(row.thread_id)) for row in rows))
    return json_answer([thread_view(row, state) for row, state in zip(rows, states, strict=True)])


@router.post("/count")
async def count_threads(body: ThreadSearch, owner: Owner, threads: Threads) -> int:
    """How many threads fit."""
    return await threads.count(owner, body)


@router.get("/{thread_id}")
async def get_thread(row: Owned, app: App) -> Response:
    """A thread with its state."""
    return await _answer(app, row)


@router.patch("/{thread_id}")
async def patch_thread(row: Owned, body: ThreadPatch, app: App, owner: Owner, threads: Threads) -> Response:
    """Add to a thread's metadata."""
    return await _answer(app, await threads.describe(owner, row.thread_id, body.metadata))


@router.delete("/{thread_id}", status_code=204)
async def delete_thread(row: Owned, app: App, owner: Owner) -> None:
    """Remove a thread for good, with its runs and states."""
    await app.delete_thread(owner, row.thread_id)


@router.get("/{thread_id}/state")
async def get_state(row: Owned, app: App) -> Response:
    """The thread's state."""
    return json_answer(state_view(await app.graph.aget_state(thread_config(row.thread_id))))


@router.get("/{thread_id}/state/{checkpoint_id}")
async def get_state_at(row: Owned, checkpoint_id: str, app: App) -> Response:
    """The thread's state at a checkpoint."""
    return await _state_at(app, row, CheckpointReference(checkpoint_id=checkpoint_id))


@router.post("/{thread_id}/state/checkpoint")
async def post_state_at(row: Owned, body: CheckpointState, app: App) -> Response:
    """The thread's state at a checkpoint."""
    return await _state_at(app, row, body.checkpoint)


@router.post("/{thread_id}/state")
async def update_state(row: Owned, body: StateUpdate, app: App) -> Response:
    """Write values to the thread's state; from an earlier checkpoint this makes a branch."""
    require_messages_only(body.values)
    config = thread_config(row.thread_id, checkpoint_keys(body.checkpoint, body.checkpoint_id))
    config["metadata"] = {"graph_id": GRAPH_ID}
    await app.runs.thread_idle(row.thread_id)
    try:
        written: RunnableConfig = await app.graph.aupdate_state(config, body.values, as_node=body.as_node)
    except (InvalidUpdateError, ValueError) as error:
        raise InputError("These values do not fit the graph's state.", code="invalid_update") from error
    return json_answer({"checkpoint": checkpoint_view(written)})


@router.get("/{thread_id}/history")
async def get_history(
    row: Owned, app: App, limit: Annotated[int, Query(ge=1, le=1000)] = 10, before: str | None = None
) -> Response:
    """The thread's states, the newest first."""
    return await _history(app, row, HistorySearch(limit=limit, before=before))


@router.post("/{thread_id}/history")
async def search_history(row: Owned, body: HistorySearch, app: App) -> Response:
    """The thread's states that fit, the newest first."""
    return await _history(app, row, body)


async def _answer(app: App, row: ThreadRow) -> Response:
    return json_answer(thread_view(row, await app.graph.aget_state(thread_config(row.thread_id))))


async def _state_at(app: App, row: ThreadRow, checkpoint: CheckpointReference) -> Response:
    config = thread_config(row.thread_id, checkpoint_keys(checkpoint))
    return json_answer(state_view(await app.graph.aget_state(config)))


async def _history(app: App, row: ThreadRow, wanted: HistorySearch) -> Response:
    before = wanted.before if isinstance(wanted.before, str) else wanted.before and wanted.before.checkpoint_id
    states = app.graph.aget_state_history(
        thread_config(row.thread_id, checkpoint_keys(wanted.checkpoint)),
        filter=_told_apart(wanted.metadata),
        before=thread_config(row.thread_id, {"checkpoint_id": before}) if before else None,
        limit=wanted.limit,
    )
    return json_answer([state_view(state) async for state in states])


def _told_apart(metadata: dict[str, Any] | None) -> dict[str, Any] | None:
    """The metadata that states may be found by: what the graph itself keeps with them, not a stranger's key."""
    return {key: value for key, value in (metadata or {}).items() if key in ("run_id", "source", "step")} or None
