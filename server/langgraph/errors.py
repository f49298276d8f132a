"""Errors as LangGraph's clients read them: `detail` for people, with our stable code beside it."""

from __future__ import annotations

from pydantic import BaseModel, Field

_PLACES = frozenset({"assistants", "threads", "runs", "ok", "info"})


class LangGraphErrorBody(BaseModel):
    """The body of every answer of this protocol that is not a success."""

    detail: str = Field(description="For people: what is wrong and what to do next.")
    code: str = Field(description="Stable; programs may rely on it.", examples=["thread_busy"])
    trace_id: str = Field(description="Names this request in logs and traces.")


def speaks_langgraph(path: str) -> bool:
    """Whether a request for `path` expects LangGraph's protocol, which is at home at the root."""
    return path.removeprefix("/").partition("/")[0] in _PLACES
