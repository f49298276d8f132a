"""What every request passes: a trace id, a same-origin check for writes, and headers that keep the page closed."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
# The interactive API documentation brings its own scripts.
_OPEN_PATHS = frozenset({"/docs", "/redoc"})


class RequestEnvelope:
    """Gives each request a trace id and each answer the security headers; refuses writes from other sites' pages."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

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

        if scope["method"] not in _SAFE_METHODS and _is_foreign(Headers(scope=scope)):
            error = {"code": "cross_origin", "message": "Requests from other sites are refused.", "trace_id": trace_id}
            await JSONResponse({"error": error}, 403)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def _is_foreign(headers: Headers) -> bool:
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")
