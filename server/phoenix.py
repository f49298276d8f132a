"""Traces for Arize Phoenix: OpenInference spans over OTLP, exported by a thread of their own that nothing waits for."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from openinference.instrumentation import OITracer, TracerProvider, safe_json_dumps, using_attributes
from openinference.instrumentation.langchain import LangChainInstrumentor, get_current_span
from openinference.semconv.resource import ResourceAttributes
from openinference.semconv.trace import SpanAttributes
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Span, Status, StatusCode, set_span_in_context

from agent.spans import SpanKind, recording
from server.masked_spans import MaskingExporter
from server.runs.rows import NewRun
from tools.errors import SwitchyardError

_log = logging.getLogger(__name__)

PROJECT = "switchyard"
QUEUED_SPANS = 2048
_BATCH_SPANS = 256
_BATCH_EVERY_MS = 1000
_EXPORT_TIMEOUT_S = 3.0
_SHUTDOWN_S = 3.0
_LONGEST_ATTRIBUTE = 32_000
_MOST_ATTRIBUTES = 2_000
_SUMMARY = ("route", "routed_to", "confidence", "abstained", "reason", "degraded", "cached", "versions")

_trace_id: ContextVar[int | None] = ContextVar("trace_id", default=None)


class PhoenixEndpointError(SwitchyardError):
    """SWITCHYARD_PHOENIX_ENDPOINT is no HTTP address."""

    code = "phoenix_endpoint"


def collector_url(endpoint: str) -> str:
    """The address that takes OTLP traces, from Phoenix's own (`http://host:6006`) or from the full one.

    Raises:
        PhoenixEndpointError: `endpoint` is no HTTP address.
    """
    parts = urlsplit(endpoint.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PhoenixEndpointError(
            f"SWITCHYARD_PHOENIX_ENDPOINT is {endpoint!r}; it should look like http://localhost:6006."
        )
    path = parts.path.rstrip("/").removesuffix("/v1/traces")
    return f"{parts.scheme}://{parts.netloc}{path}/v1/traces"


@contextmanager
def phoenix_traces(endpoint: str, *, mask_pii: bool = True) -> Generator[PhoenixTraces]:
    """Instrument LangChain and LangGraph, and export spans to `endpoint` until the end of the block.

    With `mask_pii`, personal data does not leave with them. Leaving it sends what is queued, for a few seconds at most.

    Raises:
        PhoenixEndpointError: `endpoint` is no HTTP address.
    """
    exporter = _ReportingExporter(OTLPSpanExporter(collector_url(endpoint), timeout=_EXPORT_TIMEOUT_S), endpoint)
    provider = _provider(MaskingExporter(exporter) if mask_pii else exporter)
    instrumentor = LangChainInstrumentor()
    instrumentor.instrument(tracer_provider=provider, skip_dep_check=True)
    try:
        yield PhoenixTraces(provider.get_tracer(__name__))
    finally:
        instrumentor.uninstrument()
        _shut_down(provider, exporter)


class PhoenixTraces:
    """Makes the root span of each run; the graph's spans go below it."""

    def __init__(self, tracer: OITracer) -> None:
        """Start spans with `tracer`."""
        self._tracer = tracer

    @contextmanager
    def run(self, run: NewRun) -> Generator[PhoenixRun]:
        """Put what happens inside into one trace whose id is `run.trace_id`."""
        who = hashlib.sha256(run.owner.encode()).hexdigest()[:16]
        about = {"run_id": run.run_id}
        with (
            using_attributes(session_id=run.thread_id, user_id=who, metadata=about),
            _root_trace_id(run.trace_id),
            recording(_NodeSpans(self._tracer)),
            self._tracer.start_as_current_span(f"run {run.run_id}", openinference_span_kind="chain") as span,
        ):
            span.set_attribute(SpanAttributes.INPUT_VALUE, run.message)
            try:
                yield PhoenixRun(span, about)
            except asyncio.CancelledError:
                span.set_status(Status(StatusCode.ERROR, "cancelled"))
                raise


class PhoenixRun:
    """The root span of a run."""

    def __init__(self, span: Span, about: Mapping[str, Any]) -> None:
        """Write to `span`; `about` is its metadata so far."""
        self._span = span
        self._about = about

    def finish(self, result: Mapping[str, Any]) -> None:
        """Add the answer and how it came about."""
        summary = {name: result.get(name) for name in _SUMMARY}
        self._span.set_attribute(SpanAttributes.OUTPUT_VALUE, result["answer"])
        self._span.set_attribute(SpanAttributes.METADATA, safe_json_dumps({**self._about, **summary}))
        self._span.set_attribute(SpanAttributes.TAG_TAGS, [result["route"]])
        self._span.set_status(StatusCode.OK)


class _NodeSpans:
    """Satisfies `agent.spans.SpanRecorder`."""

    def __init__(self, tracer: OITracer) -> None:
        self._tracer = tracer

    @contextmanager
    def span(self, name: str, kind: SpanKind, query: str) -> Generator[Span]:
        # The instrumentation leaves its spans out of OpenTelemetry's context: the node's span must be asked for.
        node = get_current_span()
        context = None if node is None else set_span_in_context(node)
        attributes = {SpanAttributes.OPENINFERENCE_SPAN_KIND: kind, SpanAttributes.INPUT_VALUE: str(query)}
        with self._tracer.start_as_current_span(name, context=context, attributes=attributes) as span:
            yield span
            span.set_status(StatusCode.OK)


class _RunIds(RandomIdGenerator):
    """Random ids, but for the root span of a run, whose trace has the id that the API gave out."""

    def generate_trace_id(self) -> int:
        return _trace_id.get() or super().generate_trace_id()


@contextmanager
def _root_trace_id(trace_id: str) -> Generator[None]:
    token = _trace_id.set(int(trace_id, 16))
    try:
        yield
    finally:
        _trace_id.reset(token)


class _ReportingExporter(SpanExporter):
    """Says once when the collector stops taking spans and once when it does again, instead of once a batch."""

    def __init__(self, exporter: OTLPSpanExporter, endpoint: str) -> None:
        self._exporter = exporter
        self._endpoint = endpoint
        self._reachable = True
        self._abandoned = False
        # The thread that exports and the one that closes both report.
        self._state = threading.Lock()
        logging.getLogger(OTLPSpanExporter.__module__).setLevel(logging.CRITICAL)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        reachable = result is SpanExportResult.SUCCESS
        with self._state:
            if reachable != self._reachable and not self._abandoned:
                state = "takes traces again" if reachable else "does not take traces; they are dropped meanwhile"
                _log.warning("Phoenix at %s %s", self._endpoint, state)
            self._reachable = reachable
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def abandon(self) -> None:
        """Give up on what is queued; says so unless the collector is already known to take nothing."""
        with self._state:
            if self._reachable:
                _log.warning("Phoenix at %s does not answer; the last traces are lost", self._endpoint)
            self._abandoned = True
        self.shutdown()


def _provider(exporter: SpanExporter) -> TracerProvider:
    provider = TracerProvider(
        resource=Resource({SERVICE_NAME: PROJECT, ResourceAttributes.PROJECT_NAME: PROJECT}),
        id_generator=_RunIds(),
        span_limits=SpanLimits(max_span_attributes=_MOST_ATTRIBUTES, max_span_attribute_length=_LONGEST_ATTRIBUTE),
        shutdown_on_exit=False,
    )
    # A full queue drops its oldest spans: with the collector away, memory stays bounded and nobody waits.
    queue = BatchSpanProcessor(exporter, QUEUED_SPANS, _BATCH_EVERY_MS, _BATCH_SPANS)
    provider.add_span_processor(queue)
    return provider


def _shut_down(provider: TracerProvider, exporter: _ReportingExporter) -> None:
    # In a thread: the SDK waits up to 30 s for a collector that does not answer, and takes no other deadline.
    flush = threading.Thread(target=provider.shutdown, name="flush traces", daemon=True)
    flush.start()
    flush.join(_SHUTDOWN_S)
    if flush.is_alive():
        exporter.abandon()
