"""Errors as answers: one shape under /api/v1, stable codes, a trace id, never an exception's text."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from agent.models.files import ModelFileError
from server.ingestion.spool import StorageError
from server.runs.manager import RunStoppedError, ShuttingDownError
from tools.errors import InputError, ModelUnavailableError, NotFoundError, SwitchyardError

_log = logging.getLogger(__name__)

_STATUS: dict[type[SwitchyardError], int] = {
    NotFoundError: 404,
    InputError: 422,
    ModelUnavailableError: 503,
    ModelFileError: 503,
    StorageError: 503,
    ShuttingDownError: 503,
    RunStoppedError: 409,
}
_HTTP_CODES = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    503: "unavailable",
}


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str = Field(description="Stable; programs may rely on it.", examples=["empty_message"])
    message: str = Field(
        description="For people: what is wrong and what to do next.", examples=["The message is empty."]
    )
    trace_id: str = Field(description="Names this request in logs and traces.")
    details: Any = Field(default=None, description="Data behind the message, e.g. the fields at fault.")


class ErrorBody(BaseModel):
    """The body of every answer that is not a success."""

    error: ErrorDetail


def error_response(request: Request, status: int, code: str, message: str, details: Any = None) -> JSONResponse:
    """The JSON answer for an error."""
    detail = ErrorDetail(code=code, message=message, trace_id=request.state.trace_id, details=details)
    headers = {"Retry-After": "5"} if status == 503 else None
    return JSONResponse(ErrorBody(error=detail).model_dump(exclude_none=True), status, headers=headers)


def install_error_handlers(app: FastAPI) -> None:
    """Answer every error of the app in the one shape."""

    @app.exception_handler(SwitchyardError)
    async def switchyard_error(request: Request, error: SwitchyardError) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
        if status == 500:
            _log.error("trace %s: %s %s", request.state.trace_id, error.code, error.details)
        return error_response(request, status, error.code, error.message, error.details or None)

    @app.exception_handler(RequestValidationError)
    async def invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        code, message, problems = describe_invalid(error.errors())
        return error_response(request, 422, code, message, problems)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        code = _HTTP_CODES.get(error.status_code, "http_error")
        return error_response(request, error.status_code, code, str(error.detail))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        _log.error("trace %s: unexpected error", request.state.trace_id, exc_info=error)
        return error_response(request, 500, "internal_error", "Something went wrong on our side. Nothing was lost.")


def describe_invalid(errors: Sequence[Any]) -> tuple[str, str, list[dict[str, str]]]:
    """Code, message and details of what Pydantic found in a body; the errors' places begin with where the body is."""
    problems = [{"field": ".".join(map(str, e["loc"][1:])) or "body", "problem": str(e["msg"])} for e in errors]
    return _validation_code(errors), "; ".join(f"{p['field']}: {p['problem']}" for p in problems[:5]), problems


def _validation_code(errors: Sequence[Any]) -> str:
    """Validators name their code as the error's type; everything else is an invalid request."""
    types = {str(e["type"]) for e in errors}
    if "json_invalid" in types:
        return "invalid_json"
    named = sorted(types & _NAMED_PROBLEMS)
    return named[0] if named else "invalid_request"


_NAMED_PROBLEMS = frozenset(
    {"empty_message", "message_too_long", "invalid_number", "invalid_text", "invalid_thread_id"}
)
