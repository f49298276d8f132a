"""The one assistant, and what the server is."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from server.access.rules import needs, open_to_all
from server.dependencies import App
from server.langgraph.bodies import AssistantSearch
from server.langgraph.views import ASSISTANT_ID, GRAPH_ID, assistant_view
from tools.errors import NotFoundError

router = APIRouter(tags=["langgraph: assistants"])
_CHAT = [needs("chat")]

# Read once: looking them up asks the disk.
_VERSIONS = {"version": version("switchyard"), "langgraph_py_version": version("langgraph")}


async def _known(assistant_id: str) -> str:
    if assistant_id not in (ASSISTANT_ID, GRAPH_ID):
        raise NotFoundError(f"There is no assistant {assistant_id!r}.", assistant_id=assistant_id)
    return GRAPH_ID


Assistant = Annotated[str, Depends(_known)]


@router.get("/ok", dependencies=[open_to_all()])
async def ok() -> dict[str, bool]:
    """Whether the server answers."""
    return {"ok": True}


@router.get("/info", dependencies=_CHAT)
async def info() -> dict[str, Any]:
    """Versions, and which parts of the protocol there are."""
    return {
        **_VERSIONS,
        "flags": {"assistants": True, "crons": False, "langsmith": False, "langsmith_tracing_replicas": False},
        "host": {"kind": "self-hosted"},
    }


@router.post("/assistants/search", dependencies=_CHAT)
async def search_assistants(app: App, body: AssistantSearch) -> list[dict[str, Any]]:
    """The assistants: one, for the graph."""
    page = [assistant_view(app.started_at)][body.offset : body.offset + body.limit]
    return page if _wanted(body) else []


@router.post("/assistants/count", dependencies=_CHAT)
async def count_assistants(body: AssistantSearch) -> int:
    """How many assistants there are."""
    return int(_wanted(body))


@router.get("/assistants/{assistant_id}", dependencies=_CHAT)
async def get_assistant(assistant: Assistant, app: App) -> dict[str, Any]:
    """The assistant."""
    return assistant_view(app.started_at)


@router.get("/assistants/{assistant_id}/graph", dependencies=_CHAT)
async def get_graph(assistant: Assistant, app: App, xray: str = "false") -> dict[str, Any]:
    """The graph's nodes and edges."""
    drawn = (await app.graph.aget_graph(xray=xray.lower() not in ("false", "0"))).to_json()
    for node in drawn["nodes"]:
        if isinstance(node.get("data"), dict):
            node["data"].pop("id", None)
    return drawn


@router.get("/assistants/{assistant_id}/schemas", dependencies=_CHAT)
async def get_schemas(assistant: Assistant, app: App) -> dict[str, Any]:
    """JSON Schemas of what the graph takes, keeps and gives."""
    return await asyncio.to_thread(_schemas, app)


@router.get("/assistants/{assistant_id}/subgraphs", dependencies=_CHAT)
async def get_subgraphs(assistant: Assistant) -> dict[str, Any]:
    """The graph has no graphs inside."""
    return {}


def _schemas(app: App) -> dict[str, Any]:
    context = app.graph.get_context_jsonschema()
    return {
        "graph_id": GRAPH_ID,
        "input_schema": app.graph.get_input_jsonschema(),
        "output_schema": app.graph.get_output_jsonschema(),
        "state_schema": app.graph.get_output_jsonschema(),
        "config_schema": context,
        "context_schema": context,
    }


def _wanted(body: AssistantSearch) -> bool:
    there = {"created_by": "system"}
    return body.graph_id in (None, GRAPH_ID) and all(there.get(key) == value for key, value in body.metadata.items())
