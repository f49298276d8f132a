"""The gate: nothing passes to a route before it is clear who asks, and that the route is for them."""

from __future__ import annotations

from typing import cast

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from server.access.callers import AuthenticationError, Caller, Credentials
from server.access.credentials import presented_tokens
from server.access.rate import RateLimitError
from server.access.rules import RouteRule, RouteRules
from server.access.service import Access
from server.problems import Problem, problem_response


class AccessGate:
    """Authenticates, counts and authorizes each request before the application sees it; the body is not read for that.

    Closed where in doubt: an address without a route, and a route that declares nothing, are answered here. Puts the
    `Caller`, or None on an open route, into the request's state.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Stand before `app`."""
        self._app = app
        self._rules: RouteRules | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http" and (refusal := await self._refusal(scope)) is not None:
            answer = problem_response(scope["path"], scope["state"]["trace_id"], refusal)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Problem | None:
        """Why the request is refused, if it is; else the caller is in the request's state."""
        app = cast(FastAPI, scope["app"])
        access = cast(Access, app.state.application.access)
        if self._rules is None:
            self._rules = RouteRules(app)
        route = self._rules.find(scope["method"], scope["path"])
        open_to_all = route is not None and route.rule is not None and route.rule.open
        scope["state"]["caller"] = None
        try:
            credentials = Credentials(presented_tokens(Headers(scope=scope)), _peer(scope))
            scope["state"]["caller"] = caller = await access.authenticator.authenticate(credentials)
            if open_to_all:
                return None
            access.rates.check(caller)
        except AuthenticationError as error:
            # A key that is none closes nothing that is open.
            return None if open_to_all else Problem(401, error.code, error.message)
        except RateLimitError as error:
            retry_after_s = error.details["retry_after_s"]
            return Problem(429, error.code, error.message, error.details, retry_after_s=retry_after_s)
        return _forbidden(route, caller) if route is not None else _not_found(self._rules, scope)


def _not_found(rules: RouteRules, scope: Scope) -> Problem:
    if methods := rules.methods_at(scope["path"]):
        allowed = ", ".join(sorted(methods))
        message = f"{scope['method']} is not possible here; there is {allowed}."
        return Problem(405, "method_not_allowed", message, headers={"Allow": allowed})
    return Problem(404, "not_found", "There is nothing at this address.")


def _forbidden(route: RouteRule, caller: Caller) -> Problem | None:
    if route.rule is None:
        return Problem(403, "forbidden", "This route does not say who may call it, so nobody may.")
    if missing := route.rule.missing(caller.scopes):
        wanted = " or ".join(sorted(missing))
        held = ", ".join(sorted(caller.scopes))
        message = f"This needs a key with the scope {wanted}; this one has {held}."
        return Problem(403, "missing_scope", message, {"needs": sorted(missing), "has": sorted(caller.scopes)})
    return None


def _peer(scope: Scope) -> str | None:
    client = scope.get("client")
    return client[0] if client else None
