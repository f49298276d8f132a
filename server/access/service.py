"""Everything about access that a running application holds."""

from __future__ import annotations

from dataclasses import dataclass

from agent.settings import Settings
from server.access.authenticators import KeyAuthenticator, LocalUser
from server.access.budgets import Budgets
from server.access.callers import Authenticator, Limits
from server.access.rate import RateLimiter
from server.access.store import KeyStore
from server.db.engine import Database


@dataclass(frozen=True)
class Access:
    """Who asks, how often they may, and how much they may spend."""

    authenticator: Authenticator
    rates: RateLimiter
    budgets: Budgets

    async def close(self) -> None:
        """Finish what is being written."""
        if isinstance(self.authenticator, KeyAuthenticator):
            await self.authenticator.close()


def open_access(settings: Settings, database: Database) -> Access:
    """The access that the settings ask for."""
    authenticator: Authenticator = LocalUser()
    if settings.auth == "keys":
        authenticator = KeyAuthenticator(KeyStore(database), default_limits(settings))
    return Access(authenticator, RateLimiter(), Budgets(database))


def default_limits(settings: Settings) -> Limits:
    """The limits of keys that name none."""
    return Limits(
        requests_per_minute=settings.requests_per_minute,
        tokens_per_day=settings.tokens_per_day,
        tokens_per_month=settings.tokens_per_month,
        usd_per_day=settings.usd_per_day,
        usd_per_month=settings.usd_per_month,
    )
