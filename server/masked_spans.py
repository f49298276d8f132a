"""Personal data kept out of traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from server.masking import mask


class MaskingExporter(SpanExporter):
    """Masks spans on the exporter's own thread, just before they leave."""

    def __init__(self, exporter: SpanExporter) -> None:
        """Hand masked spans to `exporter`."""
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Mask and export."""
        return self._exporter.export([masked_span(span) for span in spans])

    def shutdown(self) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown()


def masked_span(span: ReadableSpan) -> ReadableSpan:
    """A copy of a finished span whose texts are masked: name, attributes, events and status."""
    status = span.status
    described = status.description and mask(status.description)
    return ReadableSpan(
        name=mask(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_masked_attributes(span.attributes),
        events=[Event(event.name, _masked_attributes(event.attributes), event.timestamp) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(status.status_code, described),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _masked_attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: _masked_value(value) for name, value in (attributes or {}).items()}


def _masked_value(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return _masked_attributes(cast("Mapping[str, Any]", value))
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_masked_value(item) for item in cast("Sequence[Any]", value)]
    return value
