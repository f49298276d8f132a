"""What people send, checked once, at the edge."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Strict, model_validator
from pydantic_core import PydanticCustomError

from server.limits import (
    CONVERSATION_TOO_LONG,
    MAX_CONVERSATION_CHARS,
    MAX_DEPTH,
    MAX_MESSAGE_CHARS,
    MAX_METADATA_CHARS,
    METADATA_TOO_LARGE,
    REPETITIVE,
    TOO_DEEP,
    TOO_LONG,
    is_repetitive,
    is_too_large,
    is_too_long,
)

_LARGEST_INTEGER = 2**63 - 1
_THREAD_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class RequestBody(BaseModel):
    """Base of all request bodies: a field that is not known is an error, not a surprise."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, data: Any) -> Any:
        """Refuse what Python's JSON reader lets pass but UTF-8 and JSON cannot hold, wherever in the body it is."""
        _check_storable(data)
        return data


def _check_storable(data: Any, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise PydanticCustomError(*TOO_DEEP, {"limit": MAX_DEPTH})
    if isinstance(data, str):
        _check_unicode(data)
    elif isinstance(data, float) and not math.isfinite(data):
        raise PydanticCustomError("invalid_number", "JSON has no NaN and no infinity; send a number or null.")
    elif isinstance(data, int) and abs(data) > _LARGEST_INTEGER:
        raise PydanticCustomError("invalid_number", "The number is too large; send such a number as text.")
    elif isinstance(data, list):
        for item in cast("list[Any]", data):
            _check_storable(item, depth + 1)
    elif isinstance(data, dict):
        for key, value in cast("dict[Any, Any]", data).items():
            _check_storable(key, depth + 1)
            _check_storable(value, depth + 1)


def _check_unicode(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise PydanticCustomError(
            "invalid_text", "The text holds half of a surrogate pair; send valid Unicode."
        ) from None


def _clean(text: str) -> str:
    return text.replace("\x00", "")


def turn_text(text: str) -> str:
    """The text of a turn without NUL characters.

    Raises:
        PydanticCustomError: it is too long, or little but repetition.
    """
    text = _clean(text)
    if len(text) > MAX_MESSAGE_CHARS:
        raise PydanticCustomError(*TOO_LONG, {"length": len(text), "limit": MAX_MESSAGE_CHARS})
    if is_repetitive(text):
        raise PydanticCustomError(*REPETITIVE)
    return text


def check_conversation(texts: Iterable[str]) -> None:
    """Refuse more earlier turns than anybody reads.

    Raises:
        PydanticCustomError: they are too long together.
    """
    if is_too_long(texts):
        raise PydanticCustomError(*CONVERSATION_TOO_LONG, {"limit": MAX_CONVERSATION_CHARS})


def bounded(metadata: dict[str, Any]) -> dict[str, Any]:
    """Metadata of a size that notes have.

    Raises:
        PydanticCustomError: it is larger.
    """
    if is_too_large(metadata):
        raise PydanticCustomError(*METADATA_TOO_LARGE, {"limit": MAX_METADATA_CHARS})
    return metadata


def _message(text: str) -> str:
    text = turn_text(text)
    if not text.strip():
        raise PydanticCustomError("empty_message", "The message is empty. Type a question or paste a document.")
    return text


def _no_flag(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("invalid_number", "Send a number, not true or false.")
    return value


def _thread_id(value: str) -> str:
    if not _THREAD_ID.fullmatch(value):
        raise PydanticCustomError(
            "invalid_thread_id", "A thread id has 1 to 128 letters, digits, dots, colons, dashes or underscores."
        )
    return value


# Pydantic would take "no" and 0 for false, too, and false for 0.
Flag = Annotated[bool, Strict()]
Whole = Annotated[int, BeforeValidator(_no_flag)]
Text = Annotated[str, AfterValidator(_clean)]
TurnText = Annotated[str, AfterValidator(turn_text)]
MessageText = Annotated[str, AfterValidator(_message)]
ThreadId = Annotated[str, AfterValidator(_thread_id)]
