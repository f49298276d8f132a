"""Errors in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`, with our stable codes."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

PREFIX = "/v1"
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class OpenAIErrorDetail(BaseModel):
    """What went wrong."""

    message: str = Field(description="For people: what is wrong and what to do next.")
    type: str = Field(description="The kind of error, by its status.", examples=["invalid_request_error"])
    param: str | None = Field(description="The field at fault.", examples=["messages[0].content[1].type"])
    code: str = Field(description="Stable; programs may rely on it.", examples=["unsupported_value"])


class OpenAIErrorBody(BaseModel):
    """The body of every answer under /v1 that is not a success."""

    error: OpenAIErrorDetail


def speaks_openai(path: str) -> bool:
    """Whether a request for `path` expects OpenAI's protocol."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def openai_status(status: int) -> int:
    """The status that OpenAI's API has for one of ours: it calls every unusable body a bad request."""
    return 400 if status == 422 else status


def openai_error(status: int, code: str, message: str, param: str | None = None) -> OpenAIErrorBody:
    """The body of an error; `status` decides its type."""
    kind = _TYPES.get(status) or ("server_error" if status >= 500 else "invalid_request_error")
    return OpenAIErrorBody(error=OpenAIErrorDetail(message=message, type=kind, param=param, code=code))


def parameter_name(location: Sequence[int | str]) -> str | None:
    """A field as OpenAI names it, such as `messages[2].content`, from where in the body it is; None for all of it."""
    name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return name.removeprefix(".") or None
