"""What every request passes: a trace id, checks of host and origin, and headers that keep the page closed."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
# The interactive API documentation brings its own scripts.
_OPEN_PATHS = frozenset({"/docs", "/redoc"})


class RequestEnvelope:
    """Gives each request a trace id and each answer the security headers.

    Refuses writes from other sites' pages, and requests under another name than this machine's: a page whose name
    was made to point here (DNS rebinding) would otherwise count as the same site.
    """

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

        if refusal := _refusal(scope["method"], Headers(scope=scope)):
            status, code, message = refusal
            error = {"code": code, "message": message, "trace_id": trace_id}
            await JSONResponse({"error": error}, status)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def _refusal(method: str, headers: Headers) -> tuple[int, str, str] | None:
    """Status, code and message, if the request is refused."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if _host_name(f"//{host}") not in _LOOPBACK_NAMES:
        return 400, "invalid_host", "This server answers as localhost or 127.0.0.1 only."
    if method not in _SAFE_METHODS and origin is not None and origin not in (f"http://{host}", f"https://{host}"):
        return 403, "cross_origin", "Requests from other sites are refused."
    return None


def _host_name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
