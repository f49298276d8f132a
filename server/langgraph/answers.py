"""JSON answers of the protocol's routes."""

from __future__ import annotations

from fastapi.responses import Response

from server.langgraph.plain import to_json


def json_answer(value: object, status: int = 200, **headers: str) -> Response:
    """An answer that may hold messages and whatever else a state is made of."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(to_json(value), status, media_type="application/json", headers=named)
