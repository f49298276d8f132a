"""What each route asks of its caller. A route that does not say is closed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, FastAPI, Security, params
from fastapi.routing import RouteContext, iter_route_contexts
from fastapi.security import HTTPBearer

from server.access.scopes import Scope

_DESCRIPTION = "An API key, or `X-Api-Key` with the same. Not asked for with SWITCHYARD_AUTH=off."


class Needs(HTTPBearer):
    """A route's declaration: one of these scopes. The gate enforces it."""

    def __init__(self, scopes: frozenset[Scope]) -> None:
        super().__init__(scheme_name="key", description=_DESCRIPTION, auto_error=False)
        self.scopes = scopes


class Open:
    """A route's declaration: everybody may call it, with a key or without. Nothing that the API's description names."""

    async def __call__(self) -> None:
        """FastAPI calls what a route depends on."""


def needs(*scopes: Scope) -> params.Security:
    """Declares, among a route's or router's `dependencies`, that callers need one of these scopes."""
    assert scopes
    return Security(Needs(frozenset(scopes)))


def open_to_all() -> params.Depends:
    """Declares that a route needs no key."""
    return Depends(Open())


@dataclass(frozen=True)
class Rule:
    """What a route asks for: one scope of each of `scopes`; nothing at all where it is `open`."""

    open: bool
    scopes: tuple[frozenset[Scope], ...] = ()

    def missing(self, held: frozenset[Scope]) -> frozenset[Scope]:
        """The scopes of which one is missing; empty where none is."""
        return next((wanted for wanted in self.scopes if not wanted & held), frozenset[Scope]())


_ANY_CALLER = Rule(open=False)
_EVERYBODY = Rule(open=True)
# FastAPI's own routes and the page's files have no place for a declaration.
_UNDECLARED_ROUTES = {
    "/ui": _EVERYBODY,
    "/openapi.json": _ANY_CALLER,
    "/docs": _ANY_CALLER,
    "/docs/oauth2-redirect": _ANY_CALLER,
    "/redoc": _ANY_CALLER,
}


@dataclass(frozen=True)
class RouteRule:
    """A route and what it asks for; None where it does not say."""

    path: str
    pattern: re.Pattern[str]
    methods: frozenset[str]
    rule: Rule | None


class RouteRules:
    """The rules of all routes of an application, found as the router finds the routes: the first that fits."""

    def __init__(self, app: FastAPI) -> None:
        """Read the routes of `app`."""
        self.routes: Sequence[RouteRule] = list(_read(app))

    def find(self, method: str, path: str) -> RouteRule | None:
        """The rule of the route that would serve a request, or None."""
        return next((route for route in self._at(path) if not route.methods or method in route.methods), None)

    def methods_at(self, path: str) -> frozenset[str]:
        """The methods that there are at a path."""
        return frozenset(method for route in self._at(path) for method in route.methods)

    def _at(self, path: str) -> Iterator[RouteRule]:
        return (route for route in self.routes if route.pattern.match(path))


def _read(app: FastAPI) -> Iterator[RouteRule]:
    for route in iter_route_contexts(app.routes):
        path = route.path or ""
        yield RouteRule(path, route.path_regex, frozenset(route.methods or ()), _rule(path, route))


def _rule(path: str, route: RouteContext) -> Rule | None:
    declared: list[Any] = getattr(route, "dependencies", [])
    asked = tuple(each.dependency.scopes for each in declared if isinstance(each.dependency, Needs))
    if asked:
        return Rule(open=False, scopes=asked)
    return _EVERYBODY if any(isinstance(each.dependency, Open) for each in declared) else _UNDECLARED_ROUTES.get(path)
