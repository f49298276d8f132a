"""A circuit breaker: stop calling an endpoint that keeps failing, try again after a pause."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

BreakerState = Literal["closed", "open", "half_open"]


@dataclass
class CircuitBreaker:
    """Opens after `threshold` failures in a row; after `cooldown_s` seconds lets one trial call through.

    See Nygard, "Release It!" (2007), chapter 5.
    """

    threshold: int = 5
    cooldown_s: float = 20.0
    clock: Callable[[], float] = time.monotonic
    _failures: int = field(default=0, init=False)
    _opened_at: float | None = field(default=None, init=False)
    _trial_running: bool = field(default=False, init=False)

    @property
    def state(self) -> BreakerState:
        """closed: calls pass; open: calls are refused; half_open: one trial call may pass."""
        if self._opened_at is None:
            return "closed"
        return "half_open" if self.clock() - self._opened_at >= self.cooldown_s else "open"

    def allow(self) -> bool:
        """Whether a call may be made now; the caller must report how it went."""
        if self.state == "closed":
            return True
        if self.state == "half_open" and not self._trial_running:
            self._trial_running = True
            return True
        return False

    def succeeded(self) -> None:
        """Report that a call went well."""
        self._failures = 0
        self._opened_at = None
        self._trial_running = False

    def failed(self) -> None:
        """Report that the endpoint failed."""
        self._failures += 1
        if self._trial_running or self._failures >= self.threshold:
            self._opened_at = self.clock()
        self._trial_running = False

    def abandoned(self) -> None:
        """Report that a call ended without a verdict on the endpoint (cancelled, or refused for its input)."""
        self._trial_running = False
