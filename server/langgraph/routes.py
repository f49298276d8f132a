"""All routes of the protocol."""

from __future__ import annotations

from fastapi import APIRouter

from server.langgraph import assistants, runs, threads
from server.langgraph.errors import LangGraphErrorBody

_ERRORS: dict[int | str, dict[str, object]] = {
    code: {"model": LangGraphErrorBody, "description": description}
    for code, description in {
        400: "The body is not what its content type says.",
        401: "There is no API key, or none that is known.",
        403: "The key lacks a scope, or the request comes from another site's page.",
        404: "There is no such thing, or it belongs to somebody else.",
        409: "The thread works on an earlier message, or is there already.",
        413: "The body is too large.",
        422: "The input cannot be used; `code` and `detail` say why.",
        429: "Too many requests, or the key's budget is spent; `Retry-After` says when to try again.",
        500: "An error on our side; `trace_id` finds it in the log.",
        503: "Too many runs wait, or the server is shutting down; `Retry-After` says when to try again.",
    }.items()
}

router = APIRouter(responses=_ERRORS)
for module in (assistants, threads, runs):
    router.include_router(module.router)
