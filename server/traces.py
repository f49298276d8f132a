"""Traces of runs: one OpenTelemetry trace a run, sent to Arize Phoenix where an endpoint is set."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from agent.settings import Settings
from server.runs.rows import NewRun


class RunTrace(Protocol):
    """The trace of a run that is going on."""

    def finish(self, result: Mapping[str, Any]) -> None:
        """Add what the run came to: a `TurnResult` as JSON."""
        ...


class Traces(Protocol):
    """Where the traces of runs go."""

    def run(self, run: NewRun) -> AbstractContextManager[RunTrace]:
        """Put what happens inside into one trace whose id is `run.trace_id`."""
        ...


class NoTraces:
    """Keeps no traces."""

    @contextmanager
    def run(self, run: NewRun) -> Generator[NoTraces]:
        """Just go on."""
        yield self

    def finish(self, result: Mapping[str, Any]) -> None:
        """Forget the result."""


NO_TRACES = NoTraces()


@contextmanager
def tracing(settings: Settings) -> Generator[Traces]:
    """Instrument the graph and send traces in batches while the application runs, if an endpoint is set.

    Raises:
        PhoenixEndpointError: the endpoint is no HTTP address.
    """
    if settings.phoenix_endpoint is None:
        yield NO_TRACES
        return
    # Imported here: without an endpoint nobody should wait for the exporter and the instrumentation.
    from server.phoenix import phoenix_traces

    with phoenix_traces(settings.phoenix_endpoint, mask_pii=settings.mask_pii == "on") as traces:
        yield traces
