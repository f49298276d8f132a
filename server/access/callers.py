"""Callers: who a request is from, and the interface of whatever finds that out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from agent.state import DEFAULT_OWNER
from server.access.scopes import SCOPES, Scope
from tools.errors import SwitchyardError


class AuthenticationError(SwitchyardError):
    """Nobody known is behind the request (HTTP 401)."""

    code = "invalid_key"


class MissingScopeError(SwitchyardError):
    """The caller may not do this (HTTP 403)."""

    code = "missing_scope"


@dataclass(frozen=True)
class Limits:
    """How much a caller may ask for and spend; 0 is without limit. Days and months are those of UTC."""

    requests_per_minute: int = 0
    tokens_per_day: int = 0
    tokens_per_month: int = 0
    usd_per_day: float = 0
    usd_per_month: float = 0


@dataclass(frozen=True)
class Caller:
    """Who asks. `owner` is whose threads, runs and documents they work on; `key_id` whose budget they spend."""

    owner: str
    scopes: frozenset[Scope]
    key_id: str | None = None
    limits: Limits = Limits()

    def require(self, scope: Scope) -> None:
        """Check what no route can know before it has looked: that the caller has a scope.

        Raises:
            MissingScopeError: it has not.
        """
        if scope not in self.scopes:
            held = ", ".join(sorted(self.scopes))
            raise MissingScopeError(
                f"This needs a key with the scope {scope}; this one has {held}.", needs=[scope], has=sorted(self.scopes)
            )


@dataclass(frozen=True)
class Credentials:
    """What a request brings along: the keys or tokens in it, and the address that it comes from."""

    tokens: frozenset[str]
    peer: str | None

    @property
    def token(self) -> str | None:
        """The one key or token, if there is one.

        Raises:
            AuthenticationError: there are several that differ, and choosing one would be a guess.
        """
        if len(self.tokens) > 1:
            raise AuthenticationError("The request holds several different keys. Send one.", code="ambiguous_key")
        return next(iter(self.tokens), None)


class Authenticator(Protocol):
    """Finds out who is behind a request. This is where OpenID Connect goes (see docs/access.md)."""

    async def authenticate(self, credentials: Credentials) -> Caller:
        """The caller whom these credentials prove.

        Raises:
            AuthenticationError: they prove nobody, or nobody any more.
        """
        ...


LOCAL_CALLER = Caller(DEFAULT_OWNER, frozenset(SCOPES))
"""The one user of a server that asks for no keys."""
