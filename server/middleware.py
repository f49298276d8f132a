"""What every request passes: a trace id, checks of host, origin and size, and headers that keep the page closed."""

from __future__ import annotations

import logging
import uuid
from urllib.parse import urlsplit

from sqlalchemy.exc import OperationalError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.cross_origin import CrossOrigin
from server.problems import Problem, problem_response

_log = logging.getLogger(__name__)

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_CONTENT_POLICY = "Content-Security-Policy"
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    _CONTENT_POLICY: (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}
_INVALID_HOST = (
    "This server answers to localhost, 127.0.0.1 and the names in SWITCHYARD_ALLOWED_HOSTS, not to the one in `Host`."
)
_TOO_LARGE = "This is too large. Split it into smaller parts, or have SWITCHYARD_MAX_UPLOAD_MB raised."
# The interactive API documentation brings its own scripts.
_SCRIPTED = frozenset({"/docs", "/redoc"})
# Probes of a cluster call by address, and hear nothing that is not for everybody.
_PROBES = frozenset({"/livez", "/readyz"})
_AWAY = Problem(
    503, "database_unavailable", "The database cannot be used at the moment. Nothing was stored; try again."
)
_FAILED = Problem(500, "internal_error", "Something went wrong on our side. Nothing was lost.")


class RequestEnvelope:
    """Gives each request a trace id and each answer the security headers, also where something failed unexpectedly.

    Refuses writes from other sites' pages unless they are allowed, and requests under another name than the server's:
    a page whose name was made to point here (DNS rebinding) would otherwise count as the same site. Bodies are limited
    here because FastAPI's own limit answers in plain text.
    """

    def __init__(
        self, app: ASGIApp, *, max_body_bytes: int, host_names: frozenset[str], cross_origin: CrossOrigin
    ) -> None:
        """Wrap `app`, called by `host_names`; larger bodies than `max_body_bytes` are refused, announced or not."""
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._host_names = host_names
        self._cross_origin = cross_origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace_id = uuid.uuid4().hex
        scope.setdefault("state", {})["trace_id"] = trace_id
        request = Headers(scope=scope)
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                scripted = scope["path"] in _SCRIPTED and message["status"] == 200
                self._add_headers(scope, request, MutableHeaders(scope=message), scripted=scripted)
            await send(message)

        try:
            serve = self._answer_at_once(scope, request)
            await (serve or self._app)(scope, _limited(receive, self._max_body_bytes), send_with_headers)
        except Exception as error:
            # The edge of the request: nobody above could tell the client in a shape that it knows.
            away = isinstance(error, OperationalError)
            if away:
                _log.error("trace %s: the database cannot be used: %s", trace_id, type(error.orig).__name__)
            else:
                _log.error("trace %s: unexpected error", trace_id, exc_info=error)
            if started:
                raise
            problem = _AWAY if away else _FAILED
            await problem_response(scope["path"], trace_id, problem)(scope, receive, send_with_headers)

    def _answer_at_once(self, scope: Scope, request: Headers) -> Response | None:
        """The answer to a request that goes no further."""
        if refusal := self._refusal(scope, request):
            return problem_response(scope["path"], scope["state"]["trace_id"], refusal)
        preflight = self._cross_origin.preflight(scope["method"], request)
        return None if preflight is None else Response(status_code=204, headers=preflight)

    def _refusal(self, scope: Scope, request: Headers) -> Problem | None:
        """Why the request is refused, if it is."""
        host, origin = request.get("host", ""), request.get("origin")
        if _host_name(f"//{host}") not in self._host_names and scope["path"] not in _PROBES:
            return Problem(400, "invalid_host", _INVALID_HOST)
        foreign = origin is not None and origin not in (f"http://{host}", f"https://{host}")
        if scope["method"] not in _SAFE_METHODS and foreign and not self._cross_origin.allows(origin):
            return Problem(403, "cross_origin", "Requests from other sites are refused.")
        length = request.get("content-length", "")
        if length.isdecimal() and int(length) > self._max_body_bytes:
            return Problem(413, "too_large", _TOO_LARGE)
        return None

    def _add_headers(self, scope: Scope, request: Headers, headers: MutableHeaders, *, scripted: bool) -> None:
        headers["X-Trace-Id"] = scope["state"]["trace_id"]
        self._cross_origin.answer(request, headers)
        for name, value in _SECURITY_HEADERS.items():
            if not (scripted and name == _CONTENT_POLICY):
                headers.setdefault(name, value)


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


def _host_name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
