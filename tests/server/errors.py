"""The one shape of errors."""

from __future__ import annotations

import re
from typing import Any

import httpx


def assert_error(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The answer is this error, in the contract's shape; returns its `error`."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error"}
    error = body["error"]
    assert set(error) <= {"code", "message", "trace_id", "details"}
    assert error["code"] == code, error
    assert re.fullmatch(r"[0-9a-f]{32}", error["trace_id"])
    assert error["trace_id"] == answer.headers["x-trace-id"]
    assert error["message"].strip()
    assert "Traceback" not in answer.text
    return error
