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


def assert_protocol_error(answer: httpx.Response, status: int, code: str) -> None:
    """The answer is this error in the shape of its path's protocol, traceable, with the headers that every answer has.

    OpenAI's protocol has no place for a trace id but the header.
    """
    assert answer.status_code == status, answer.text[:500]
    path, body = answer.request.url.path, answer.json()
    if path.startswith("/v1/"):
        assert set(body) == {"error"}
        assert set(body["error"]) == {"message", "type", "param", "code"}
        assert body["error"]["code"] == code
    elif path.split("/")[1] in {"threads", "runs", "assistants", "info", "ok"}:
        assert set(body) == {"detail", "code", "trace_id"}
        assert (body["code"], body["trace_id"]) == (code, answer.headers["x-trace-id"])
    else:
        assert_error(answer, status, code)
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-trace-id"])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    assert "Traceback" not in answer.text
