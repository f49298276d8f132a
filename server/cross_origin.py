"""Pages of other sites: none may use the server, but for those whose origins are listed (CORS)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders

_METHODS = "GET, POST, PUT, PATCH, DELETE"
_EXPOSED = "Content-Location, Location, Retry-After, X-Trace-Id"
_HEADER_NAMES = re.compile(r"[A-Za-z0-9, _-]{1,2000}")
_PREFLIGHT_LIFETIME_S = "600"


@dataclass(frozen=True)
class CrossOrigin:
    """The origins whose pages may use the server. They bring a key in a header; cookies play no part."""

    origins: frozenset[str] = frozenset()

    def allows(self, origin: str | None) -> bool:
        """Whether pages of this origin may."""
        return origin in self.origins

    def answer(self, request: Headers, headers: MutableHeaders) -> None:
        """Let the browser hand an answer on to an allowed page, with the headers that clients read."""
        if not self.origins:
            return
        headers.add_vary_header("Origin")
        if self.allows(origin := request.get("origin")):
            headers["Access-Control-Allow-Origin"] = str(origin)
            headers["Access-Control-Expose-Headers"] = _EXPOSED

    def preflight(self, method: str, request: Headers) -> dict[str, str] | None:
        """The headers that answer a browser's question whether an allowed page may; None for any other request."""
        asks = method == "OPTIONS" and "access-control-request-method" in request
        if not asks or not self.allows(request.get("origin")):
            return None
        wanted = request.get("access-control-request-headers", "")
        allowed = {"Access-Control-Allow-Headers": wanted} if _HEADER_NAMES.fullmatch(wanted) else {}
        return {
            **allowed,
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Max-Age": _PREFLIGHT_LIFETIME_S,
        }
