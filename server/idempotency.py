"""The `Idempotency-Key` header: a request that is sent again with the same key leads to the same run."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated

import orjson
from fastapi import Depends, Header, Request
from pydantic import BaseModel

from server.runs.rows import RequestKey
from tools.errors import InputError

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_DESCRIPTION = "Sent again with the same key and body, the request starts nothing: it gets the run that it had started."


class RequestIdentity:
    """Names a request by its key, if it has one, and knows what it asks for."""

    def __init__(self, key: str | None, place: str) -> None:
        """A request for `place` (method and path) with this key."""
        self._key = key
        self._place = place

    def of(self, body: BaseModel) -> RequestKey | None:
        """The key with a hash of place and body; none where the caller sent no key."""
        if self._key is None:
            return None
        asked = orjson.dumps([self._place, body.model_dump(mode="json")], option=orjson.OPT_SORT_KEYS)
        return RequestKey(self._key, hashlib.sha256(asked).hexdigest())


async def get_identity(
    request: Request, idempotency_key: Annotated[str | None, Header(description=_DESCRIPTION)] = None
) -> RequestIdentity:
    """The key of a request.

    Raises:
        InputError: it cannot be one.
    """
    if idempotency_key is not None and not _KEY.fullmatch(idempotency_key):
        raise InputError(
            "An Idempotency-Key has 1 to 255 visible ASCII characters, such as a UUID.",
            code="invalid_idempotency_key",
        )
    return RequestIdentity(idempotency_key, f"{request.method} {request.scope['path']}")


Identity = Annotated[RequestIdentity, Depends(get_identity)]
