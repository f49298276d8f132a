"""GET /v1/models: the one model of this server."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from server.application import Application
from server.dependencies import App
from server.openai.requests import MODEL
from tools.errors import NotFoundError

router = APIRouter(prefix="/models")


class ModelNotFoundError(NotFoundError):
    """A request names another model than this server's (HTTP 404)."""

    code = "model_not_found"


class ModelCard(BaseModel):
    """A model, as clients list it."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="When the server started, in seconds since 1970.")
    owned_by: str = MODEL


class ModelList(BaseModel):
    """The models of this server."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


def require_model(name: str) -> None:
    """Check that a request means this server's model.

    Raises:
        ModelNotFoundError: it names another one.
    """
    if name != MODEL:
        raise ModelNotFoundError(f"There is no such model here; the model is {MODEL!r}.", param="model")


@router.get("", summary="The models of this server")
async def list_models(app: App) -> ModelList:
    """The one model: whatever answers behind it is chosen by route and by the models file."""
    return ModelList(data=[_card(app)])


@router.get("/{model:path}", summary="A model")
async def get_model(model: str, app: App) -> ModelCard:
    """The model of this name."""
    require_model(model)
    return _card(app)


def _card(app: Application) -> ModelCard:
    return ModelCard(id=MODEL, created=int(app.started_at))
