from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agent.models.breaker import CircuitBreaker

THRESHOLD = 3
COOLDOWN_S = 10.0


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class BreakerMachine(RuleBasedStateMachine):
    """One call at a time against the obvious model: a count of failures and the moment of opening."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = CircuitBreaker(threshold=THRESHOLD, cooldown_s=COOLDOWN_S, clock=self.clock)
        self.failures = 0
        self.opened_at: float | None = None

    def rests(self) -> bool:
        return self.opened_at is not None and self.clock.now - self.opened_at < COOLDOWN_S

    @precondition(lambda self: not self.rests())
    @rule()
    def succeed(self) -> None:
        assert self.breaker.allow()
        self.breaker.succeeded()
        self.failures, self.opened_at = 0, None

    @precondition(lambda self: not self.rests())
    @rule()
    def fail(self) -> None:
        assert self.breaker.allow()
        self.breaker.failed()
        self.failures += 1
        if self.opened_at is not None or self.failures >= THRESHOLD:
            self.opened_at = self.clock.now

    @precondition(lambda self: not self.rests())
    @rule()
    def cancel(self) -> None:
        assert self.breaker.allow()
        self.breaker.abandoned()

    @precondition(lambda self: self.rests())
    @rule()
    def refused(self) -> None:
        assert not self.breaker.allow()

    @precondition(lambda self: self.opened_at is not None and not self.rests())
    @rule()
    def only_one_trial(self) -> None:
        assert self.breaker.allow()
        assert not self.breaker.allow()
        self.breaker.abandoned()

    @rule(seconds=st.sampled_from([0.5, COOLDOWN_S / 2, COOLDOWN_S]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def says_its_state(self) -> None:
        expected = "closed" if self.opened_at is None else "open" if self.rests() else "half_open"
        assert self.breaker.state == expected


BreakerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
test_the_breaker_does_what_its_model_does = BreakerMachine.TestCase


def test_late_failures_of_running_calls_keep_it_open_longer() -> None:
    clock = Clock()
    breaker = CircuitBreaker(threshold=1, cooldown_s=COOLDOWN_S, clock=clock)
    assert breaker.allow()
    assert breaker.allow()
    breaker.failed()
    clock.now = 6
    breaker.failed()
    clock.now = 12
    assert breaker.state == "open"
    clock.now = 16
    assert breaker.state == "half_open"
