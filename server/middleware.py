"""What every request passes: a trace id, checks of host, origin and size, and headers that keep the page closed."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.problems import Problem, problem_response

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}
_TOO_LARGE = "This is too large. Split it into smaller parts, or have SWITCHYARD_MAX_UPLOAD_MB raised."
# The interactive API documentation brings its own scripts.
_OPEN_PATHS = frozenset({"/docs", "/redoc"})


class RequestEnvelope:
    """Gives each request a trace id and each answer the security headers.

    Refuses writes from other sites' pages, and requests under another name than this machine's: a page whose name
    was made to point here (DNS rebinding) would otherwise count as the same site. Bodies are limited here because
    FastAPI's own limit answers in plain text.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        """Wrap `app`; larger bodies than `max_body_bytes` are refused, announced or not."""
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace_id = uuid.uuid4().hex
        scope.setdefault("state", {})["trace_id"] = trace_id

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Trace-Id"] = trace_id
                for name, value in _SECURITY_HEADERS.items():
                    if scope["path"] not in _OPEN_PATHS:
                        headers.setdefault(name, value)
            await send(message)

        if refusal := _refusal(scope["method"], Headers(scope=scope), self._max_body_bytes):
            await problem_response(scope["path"], trace_id, refusal)(scope, receive, send_with_headers)
            return
        await self._app(scope, _limited(receive, self._max_body_bytes), send_with_headers)


def _limited(receive: Receive, limit: int) -> Receive:
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return limited


def _refusal(method: str, headers: Headers, max_body_bytes: int) -> Problem | None:
    """Why the request is refused, if it is."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if _host_name(f"//{host}") not in _LOOPBACK_NAMES:
        return Problem(400, "invalid_host", "This server answers as localhost or 127.0.0.1 only.")
    if method not in _SAFE_METHODS and origin is not None and origin not in (f"http://{host}", f"https://{host}"):
        return Problem(403, "cross_origin", "Requests from other sites are refused.")
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_body_bytes:
        return Problem(413, "too_large", _TOO_LARGE)
    return None


def _host_name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
