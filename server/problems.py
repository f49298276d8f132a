"""Problems: what went wrong with a request, and its shape in each protocol that the server speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from server.langgraph.errors import LangGraphErrorBody, speaks_langgraph
from server.openai.errors import openai_error, openai_status, speaks_openai

_RETRY_AFTER_S = 5
_TEMPORARY = frozenset({429, 503})
# OpenAI's clients wait this long at most; what comes later they would only ask for in vain.
_LONGEST_WAIT_S = 60


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str = Field(description="Stable; programs may rely on it.", examples=["empty_message"])
    message: str = Field(
        description="For people: what is wrong and what to do next.", examples=["The message is empty."]
    )
    trace_id: str = Field(description="Names this request in logs and traces.")
    details: Any = Field(default=None, description="Data behind the message, e.g. the fields at fault.")


class ErrorBody(BaseModel):
    """The body of every answer under /api/v1 that is not a success."""

    error: ErrorDetail


@dataclass(frozen=True)
class Problem:
    """A refused or failed request. `status` is that of the native API; `param` names the field at fault, if one is.

    `retry_after_s` says when to try again where that is known, `headers` what else the answer carries.
    """

    status: int
    code: str
    message: str
    details: Any = None
    param: str | None = None
    retry_after_s: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def problem_response(path: str, trace_id: str, problem: Problem) -> JSONResponse:
    """The JSON answer to a request for `path`, in that path's protocol; it says when to try again where that helps."""
    headers = {**problem.headers, "X-Trace-Id": trace_id}
    if problem.status in _TEMPORARY:
        headers["Retry-After"] = str(problem.retry_after_s or _RETRY_AFTER_S)
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if speaks_openai(path):
        return _openai(problem, headers)
    if speaks_langgraph(path):
        told = LangGraphErrorBody(detail=problem.message, code=problem.code, trace_id=trace_id)
        return JSONResponse(told.model_dump(), problem.status, headers=headers)
    detail = ErrorDetail(code=problem.code, message=problem.message, trace_id=trace_id, details=problem.details)
    return JSONResponse(ErrorBody(error=detail).model_dump(exclude_none=True), problem.status, headers=headers)


def _openai(problem: Problem, headers: dict[str, str]) -> JSONResponse:
    status = openai_status(problem.status)
    if status == 409 or (problem.retry_after_s or 0) > _LONGEST_WAIT_S:
        # OpenAI's clients repeat what conflicts: a run that somebody stopped would start again.
        headers["X-Should-Retry"] = "false"
    body = openai_error(status, problem.code, problem.message, problem.param)
    return JSONResponse(body.model_dump(), status, headers=headers)
