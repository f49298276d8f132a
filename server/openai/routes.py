"""The routes under /v1. Any API key is accepted while authentication is off."""

from __future__ import annotations

import time
from dataclasses import replace

from fastapi import APIRouter
from sse_starlette.sse import EventSourceResponse

from server.access.rules import needs
from server.application import Application
from server.dependencies import App, Spender
from server.idempotency import Identity
from server.openai import models
from server.openai.completions import ChatCompletion, Chunks, completion
from server.openai.errors import PREFIX, OpenAIErrorBody
from server.openai.requests import CompletionRequest
from server.openai.settled import SettledText
from server.openai.streams import completion_frames
from server.sse import event_content, stream_frames

_ERRORS: dict[int | str, dict[str, object]] = {
    code: {"model": OpenAIErrorBody, "description": description}
    for code, description in {
        400: "The body cannot be used; `error.param` names the field and `error.code` says why.",
        401: "There is no API key, or none that is known.",
        403: "The key lacks a scope, or the request comes from another site's page.",
        404: "There is no such model, or the thread belongs to somebody else.",
        409: "The run was stopped.",
        413: "The body is too large.",
        429: "Too many requests, or the key's budget is spent; `Retry-After` says when to try again.",
        500: "An error on our side; the header `X-Trace-Id` finds it in the log.",
        503: "No model answers, or the server is shutting down; `Retry-After` says when to try again.",
        "default": "Any other error.",
    }.items()
}
_STREAM = (
    "With `stream: true` chunks as server-sent events: the first holds the role and the run's ids, the last of the "
    "answer `finish_reason` and all of `switchyard`; an error in between is an object with `error`; `[DONE]` comes "
    "last. A client that leaves does not stop the run: `GET /api/v1/runs/{run_id}` has its result, "
    "`POST /api/v1/runs/{run_id}/cancel` stops it."
)
_CHUNK = {"data": '{"id": "chatcmpl-6f1c2a9e", …}'}

router = APIRouter(prefix=PREFIX, tags=["openai"], responses=_ERRORS, dependencies=[needs("chat")])
router.include_router(models.router)


@router.post(
    "/chat/completions",
    response_model=ChatCompletion,
    responses={200: {"description": _STREAM, "content": event_content(_CHUNK)}},
    summary="One turn, for OpenAI's clients",
)
async def create_completion(
    body: CompletionRequest, app: App, caller: Spender, identity: Identity
) -> EventSourceResponse | ChatCompletion:
    """Run one turn. Without `metadata.thread_id` it belongs to a new thread that remembers the messages sent along."""
    models.require_model(body.model)
    created = int(time.time())
    request = body.run_request(caller.owner, identity.of(body))
    run = await app.runs.start(replace(request, key_id=caller.key_id))
    if not body.stream:
        return completion(await app.runs.result(caller.owner, run.run_id), created)
    chunks = Chunks(run.run_id, created, body.includes_usage)
    return stream_frames(completion_frames(app.runs.follow(caller.owner, run.run_id), chunks, _settled_text(app)))


def _settled_text(app: Application) -> SettledText:
    """What is quoted under a grammar cannot turn out unsupported; what a model writes can."""
    models = app.services.models.chain("answer").models
    return SettledText(verbatim=all(model.quotes and model.supports_grammar for model in models))
