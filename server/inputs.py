"""Texts that people send: checked once, at the edge."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

MAX_MESSAGE_CHARS = 200_000
MAX_DOCUMENT_CHARS = 20_000_000


class RequestBody(BaseModel):
    """Base of all request bodies: a field that is not known is an error, not a surprise."""

    model_config = ConfigDict(extra="forbid")


def _clean(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise PydanticCustomError(
            "invalid_text", "The text holds half of a surrogate pair; send valid Unicode."
        ) from None
    return text.replace("\x00", "")


def _message(text: str) -> str:
    text = _clean(text)
    if not text.strip():
        raise PydanticCustomError("empty_message", "The message is empty. Type a question or paste a document.")
    if len(text) > MAX_MESSAGE_CHARS:
        raise PydanticCustomError(
            "message_too_long",
            "The message has {length} characters; the limit is {limit}. Upload long texts as documents.",
            {"length": len(text), "limit": MAX_MESSAGE_CHARS},
        )
    return text


Text = Annotated[str, AfterValidator(_clean)]
MessageText = Annotated[str, AfterValidator(_message)]
