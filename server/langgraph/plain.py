"""Whatever the graph streams or keeps, as JSON: messages as LangChain writes them, tuples as lists."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, cast

import orjson
from pydantic import BaseModel


def to_json(value: object) -> bytes:
    """JSON of a stream's item or a state.

    Raises:
        orjson.JSONEncodeError: something in it has no JSON.
    """
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, BaseException):
        # An exception's text may name files and hosts; the log has it.
        return {"error": "internal_error", "message": "Something went wrong on our side."}
    if isinstance(value, set | frozenset | deque):
        return list(cast("set[object]", value))
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    as_dict = cast("Callable[[], dict[str, Any]] | None", getattr(value, "_asdict", None))
    if as_dict is not None:
        return as_dict()
    raise TypeError(type(value).__name__)
