"""What a piece of work spends on models, however it ends: its result names the costs only if there is one."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from tools.ports import Usage


class Meter:
    """Sums up model calls."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.usage = Usage()

    def add(self, usage: Usage) -> None:
        """Count a call, or what is known of one that was cut off."""
        self.usage += usage


_meter: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered(meter: Meter) -> Generator[Meter]:
    """Count all model calls that this block makes, also those of tasks and threads that it starts."""
    token = _meter.set(meter)
    try:
        yield meter
    finally:
        _meter.reset(token)


def spend(usage: Usage) -> None:
    """Count usage on the meter of whoever asked for it, if there is one."""
    meter = _meter.get()
    if meter is not None:
        meter.add(usage)
