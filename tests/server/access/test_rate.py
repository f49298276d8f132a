"""The token bucket: how much it lets through, and when it says to come again."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.access.callers import LOCAL_CALLER, Caller, Limits
from server.access.rate import RateLimiter, RateLimitError, TokenBucket

CAPACITIES = st.integers(1, 1000)
PAUSES = st.lists(st.floats(0, 100), max_size=200)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def caller(key_id: str, per_minute: int) -> Caller:
    return Caller("ann", frozenset(), key_id, Limits(requests_per_minute=per_minute))


@given(CAPACITIES, PAUSES)
def test_it_never_lets_more_through_than_it_holds_and_gains(capacity: int, pauses: list[float]) -> None:
    bucket, now, taken = TokenBucket(capacity, capacity, 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now) == 0
        assert taken <= capacity + now * capacity / 60 + 1e-6
        assert 0 <= bucket.level <= capacity


@given(CAPACITIES, PAUSES)
def test_whoever_waits_as_told_is_let_through(capacity: int, pauses: list[float]) -> None:
    bucket, now = TokenBucket(capacity, capacity, 0.0), 0.0
    for pause in [*pauses, *[0.0] * (capacity + 1)]:
        now += pause
        if wait := bucket.take(now):
            assert 0 < wait <= 60 / capacity + 1e-6
            now += wait + 1e-6
            assert bucket.take(now) == 0


@given(CAPACITIES, st.lists(st.floats(-1000, 0), min_size=1, max_size=50))
def test_a_clock_that_goes_back_adds_nothing(capacity: int, times: list[float]) -> None:
    bucket = TokenBucket(capacity, 0.0, 0.0)
    assert all(bucket.take(now) > 0 for now in times)


def test_a_minute_s_worth_passes_at_once_then_one_after_the_other() -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    for _ in range(6):
        limiter.check(caller("k", 6))
    with pytest.raises(RateLimitError) as caught:
        limiter.check(caller("k", 6))
    assert caught.value.details == {"retry_after_s": 10, "requests_per_minute": 6}
    clock.now += 10
    limiter.check(caller("k", 6))
    with pytest.raises(RateLimitError):
        limiter.check(caller("k", 6))


def test_keys_do_not_share_their_limits() -> None:
    limiter = RateLimiter(Clock())
    limiter.check(caller("k", 1))
    limiter.check(caller("l", 1))
    with pytest.raises(RateLimitError):
        limiter.check(caller("k", 1))


def test_no_limit_is_none() -> None:
    limiter = RateLimiter(Clock())
    for _ in range(1000):
        limiter.check(caller("k", 0))
        limiter.check(LOCAL_CALLER)
