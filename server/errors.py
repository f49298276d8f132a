"""Errors as answers: the shape of the protocol that was spoken, stable codes, a trace id, never an exception's text."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from agent.models.files import ModelFileError
from server.access.budgets import BudgetError
from server.access.callers import AuthenticationError, MissingScopeError
from server.ingestion.spool import StorageError
from server.langgraph.thread_store import ThreadExistsError
from server.openai.errors import parameter_name
from server.problems import Problem, problem_response
from server.reviews.rows import ReviewConflictError
from server.runs.admission import ThreadBusyError
from server.runs.manager import QueueFullError, ShuttingDownError
from server.runs.requests import KeyReusedError
from server.runs.stops import RunStoppedError
from tools.errors import InputError, ModelUnavailableError, NotFoundError, SwitchyardError

_log = logging.getLogger(__name__)

_STATUS: dict[type[SwitchyardError], int] = {
    NotFoundError: 404,
    InputError: 422,
    KeyReusedError: 422,
    ModelUnavailableError: 503,
    ModelFileError: 503,
    StorageError: 503,
    ShuttingDownError: 503,
    QueueFullError: 503,
    ThreadBusyError: 409,
    ThreadExistsError: 409,
    RunStoppedError: 409,
    AuthenticationError: 401,
    MissingScopeError: 403,
    BudgetError: 429,
    ReviewConflictError: 409,
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


def install_error_handlers(app: FastAPI) -> None:
    """Answer every error of the app in the shape of its path's protocol."""

    @app.exception_handler(SwitchyardError)
    async def switchyard_error(request: Request, error: SwitchyardError) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
        if status == 500:
            _log.error("trace %s: %s %s", request.state.trace_id, error.code, error.details)
        param, retry_after_s = error.details.get("param"), error.details.get("retry_after_s")
        problem = Problem(status, error.code, error.message, error.details or None, param, retry_after_s)
        return _answer(request, problem)

    @app.exception_handler(RequestValidationError)
    async def invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        code, message, problems = describe_invalid(error.errors())
        return _answer(request, Problem(422, code, message, problems, _parameter(error.errors(), code)))

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        code = _HTTP_CODES.get(error.status_code, "http_error")
        return _answer(request, Problem(error.status_code, code, str(error.detail), headers=error.headers or {}))


def _answer(request: Request, problem: Problem) -> JSONResponse:
    return problem_response(request.scope["path"], request.state.trace_id, problem)


def describe_invalid(errors: Sequence[Any]) -> tuple[str, str, list[dict[str, str]]]:
    """Code, message and details of what Pydantic found in a body; the errors' places begin with where the body is."""
    problems = [{"field": ".".join(map(str, e["loc"][1:])) or "body", "problem": str(e["msg"])} for e in errors]
    return _validation_code(errors), "; ".join(f"{p['field']}: {p['problem']}" for p in problems[:5]), problems


def _parameter(errors: Sequence[Any], code: str) -> str | None:
    """The field that a code is about. A body that is no JSON has a position in its text there, which is no field."""
    if code == "invalid_json":
        return None
    told = next((error for error in errors if error["type"] == code), errors[0])
    return parameter_name(told["loc"][1:])


def _validation_code(errors: Sequence[Any]) -> str:
    """Validators name their code as the error's type; everything else is an invalid request."""
    types = {str(e["type"]) for e in errors}
    if "json_invalid" in types:
        return "invalid_json"
    named = sorted(types & _NAMED_PROBLEMS)
    return named[0] if named else "invalid_request"


_NAMED_PROBLEMS = frozenset(
    {
        "conversation_too_long",
        "empty_message",
        "message_too_long",
        "metadata_too_large",
        "repetitive_message",
        "too_deep",
        "invalid_number",
        "invalid_text",
        "invalid_thread_id",
        "label_mismatch",
        "unsupported_value",
    }
)
