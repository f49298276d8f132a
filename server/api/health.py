"""Health: is the process alive, can it answer, what does it run on."""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import Literal

import psutil
from fastapi import APIRouter, Response
from pydantic import BaseModel

from agent.models.catalog import ROLES
from agent.state import TurnContext
from server.access.rules import open_to_all
from server.dependencies import App, Visitor

router = APIRouter(tags=["health"], dependencies=[open_to_all()])


class RoleHealth(BaseModel):
    """Which model serves a role, and whether its endpoint answers."""

    endpoint: str
    model: str
    adapter: str | None
    circuit: Literal["closed", "open", "half_open"]


class Health(BaseModel):
    """The state of each part."""

    status: Literal["ready", "starting", "stopping"]
    version: str
    uptime_s: float
    memory_mb: float
    samples: Literal["indexed", "indexing"]
    chunks: int
    roles: dict[str, RoleHealth]


class Alive(BaseModel):
    """A short answer for probes."""

    status: str


@router.get("/health", response_model=Health | Alive)
async def health(app: App, visitor: Visitor) -> Health | Alive:
    """Liveness, readiness of each part, models and memory; to a stranger only the state of the whole."""
    status = "stopping" if app.stopping else "ready" if app.ready else "starting"
    if visitor is None:
        return Alive(status=status)
    catalog = app.services.models.catalog
    fraud_adapter = await app.services.fraud.adapter()
    roles = {
        role: RoleHealth(
            endpoint=catalog.roles[role].endpoint,
            model=catalog.roles[role].model,
            adapter=fraud_adapter if role == "fraud" else catalog.roles[role].adapter,
            circuit=app.services.models.breaker(catalog.roles[role].endpoint).state,
        )
        for role in ROLES
    }
    return Health(
        status=status,
        version=version("switchyard"),
        uptime_s=round(time.time() - app.started_at, 1),
        memory_mb=round(psutil.Process().memory_info().rss / 2**20, 1),
        samples="indexed" if app.samples_ready else "indexing",
        chunks=await app.services.index.count(TurnContext(visitor.owner).index_collection),
        roles={str(role): entry for role, entry in roles.items()},
    )


@router.get("/livez", response_model=Alive)
async def livez() -> Alive:
    """The event loop turns."""
    return Alive(status="alive")


@router.get("/readyz", response_model=Alive, responses={503: {"model": Alive}})
async def readyz(app: App, response: Response) -> Alive:
    """200 once the models are loaded and the samples indexed."""
    if not app.ready:
        response.status_code = 503
    return Alive(status="ready" if app.ready else "starting")
