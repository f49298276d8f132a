"""Rate limits: a token bucket for each key, in this process's memory."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from server.access.callers import Caller
from tools.errors import SwitchyardError

_MINUTE_S = 60


class RateLimitError(SwitchyardError):
    """The key has asked too often (HTTP 429). `details` says after how many seconds to ask again."""

    code = "rate_limited"


@dataclass
class TokenBucket:
    """Holds up to `capacity` requests and fills up again in a minute. Full at first."""

    capacity: int
    level: float
    updated: float

    def take(self, now: float) -> float:
        """Take one request; returns 0, or the seconds until there is one to take. A clock that goes back adds none."""
        per_second = self.capacity / _MINUTE_S
        self.level = min(self.capacity, self.level + max(0.0, now - self.updated) * per_second)
        self.updated = max(self.updated, now)
        if self.level < 1:
            return (1 - self.level) / per_second
        self.level -= 1
        return 0.0


class RateLimiter:
    """One bucket a key. There are only as many as there are valid keys."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Count by `clock`, in seconds."""
        self._clock = clock
        self._buckets: dict[tuple[str, int], TokenBucket] = {}

    def check(self, caller: Caller) -> None:
        """Count a request.

        Raises:
            RateLimitError: it is one too many.
        """
        most = caller.limits.requests_per_minute
        if caller.key_id is None or not most:
            return
        now = self._clock()
        bucket = self._buckets.setdefault((caller.key_id, most), TokenBucket(most, most, now))
        if wait := bucket.take(now):
            seconds = max(1, math.ceil(wait))
            raise RateLimitError(
                f"This key may send {most} requests a minute. Try again in {seconds} s.",
                retry_after_s=seconds,
                requests_per_minute=most,
            )
