"""The FastAPI application."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles

from agent.settings import Settings
from server.access.binding import host_names
from server.access.gate import AccessGate
from server.access.rules import open_to_all
from server.api import (
    chat,
    corrections,
    documents,
    extract,
    feedback,
    fraud,
    health,
    ingestions,
    reviews,
    runs,
    search,
    syncing,
    threads,
)
from server.application import Application, open_application
from server.cross_origin import CrossOrigin
from server.errors import install_error_handlers
from server.langgraph.routes import router as langgraph_router
from server.middleware import RequestEnvelope
from server.openai.routes import router as openai_router
from server.problems import ErrorBody

_UI = Path(__file__).with_name("ui")
_ERRORS: dict[int | str, dict[str, object]] = {
    code: {"model": ErrorBody, "description": description}
    for code, description in {
        400: "The body is not what its content type says.",
        401: "There is no API key, or none that is known.",
        403: "The key lacks a scope, or the request comes from another site's page.",
        404: "There is no such thing, or it belongs to somebody else.",
        409: "The run was stopped, or the review was decided before.",
        413: "The body is too large.",
        415: "The content type is not one that is understood.",
        422: "The input cannot be used; `error.code` and `error.details` say why.",
        429: "Too many requests, or the key's budget is spent; `Retry-After` says when to try again.",
        500: "An error on our side; `error.trace_id` finds it in the log.",
        503: "No model answers, or the server is shutting down; `Retry-After` says when to try again.",
    }.items()
}
_DOCUMENTS = (documents, syncing, ingestions, search)
_API = (chat, runs, threads, *_DOCUMENTS, extract, corrections, fraud, reviews, feedback, health)
_DESCRIPTION = (
    "Every error under `/api/v1` has the body `{error: {code, message, trace_id}}`, under `/v1` that of OpenAI's API, "
    "under `/assistants`, `/threads` and `/runs` that of LangGraph's; codes are stable."
)


class _Assets(StaticFiles):
    """The page's files; browsers ask each time whether they changed, so that an upgrade never mixes versions."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def create_app(settings: Settings, *, on_open: Callable[[Application], None] | None = None) -> FastAPI:
    """The application that serves `settings`. `on_open` is called once everything is loaded."""
    app = FastAPI(
        title="Switchyard",
        version=version("switchyard"),
        description=_DESCRIPTION,
        lifespan=_lifespan(settings, on_open),
    )
    api = APIRouter(prefix="/api/v1", responses=_ERRORS)
    for module in _API:
        api.include_router(module.router)
    app.include_router(api)
    app.include_router(health.router)
    app.include_router(openai_router)
    app.include_router(langgraph_router)
    app.mount("/ui", _Assets(directory=_UI), name="ui")
    app.add_api_route("/", _page, include_in_schema=False, dependencies=[open_to_all()])
    install_error_handlers(app)
    app.add_middleware(AccessGate)
    app.add_middleware(
        RequestEnvelope,
        max_body_bytes=settings.max_upload_mb * 2**20,
        host_names=host_names(settings),
        cross_origin=CrossOrigin(frozenset(settings.cors_origins)),
    )
    return app


def _page() -> FileResponse:
    return FileResponse(_UI / "index.html", headers={"Cache-Control": "no-cache"})


def _lifespan(
    settings: Settings, on_open: Callable[[Application], None] | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with open_application(settings) as application:
            app.state.application = application
            if on_open:
                on_open(application)
            yield

    return lifespan
