"""Spans of a run's trace that no instrumentation makes by itself. Outside of a traced run they cost nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Literal, Protocol

from tools.knowledge.documents import Retrieval
from tools.knowledge.evidence import Evidence

SpanKind = Literal["RETRIEVER", "GUARDRAIL"]

_LONGEST_CONTENT = 1000


class Span(Protocol):
    """A span that is open."""

    def set_attributes(self, attributes: Mapping[str, str | int | float | bool], /) -> None:
        """Add attributes, named as OpenInference names them."""
        ...


class SpanRecorder(Protocol):
    """Opens spans below the graph's node that is running."""

    def span(self, name: str, kind: SpanKind, query: str) -> AbstractContextManager[Span]:
        """A span whose input is `query`; an exception inside marks it as failed."""
        ...


_recorder: ContextVar[SpanRecorder | None] = ContextVar("span_recorder", default=None)


@contextmanager
def recording(recorder: SpanRecorder) -> Generator[None]:
    """Record the spans of what happens inside with `recorder`."""
    token = _recorder.set(recorder)
    try:
        yield
    finally:
        _recorder.reset(token)


async def traced_retrieval(query: str, search: Awaitable[Retrieval]) -> Retrieval:
    """Await `search`, with the passages in a RETRIEVER span."""
    if (recorder := _recorder.get()) is None:
        return await search
    with recorder.span("retrieve", "RETRIEVER", query) as span:
        retrieval = await search
        for rank, passage in enumerate(retrieval.passages):
            document = f"retrieval.documents.{rank}.document"
            span.set_attributes(
                {
                    f"{document}.id": passage.chunk_id,
                    f"{document}.score": passage.score,
                    f"{document}.content": passage.text[:_LONGEST_CONTENT],
                }
            )
        return retrieval


def traced_gate(query: str, assess: Callable[[], Evidence]) -> Evidence:
    """Run `assess`, with its verdict in a GUARDRAIL span."""
    if (recorder := _recorder.get()) is None:
        return assess()
    with recorder.span("evidence gate", "GUARDRAIL", query) as span:
        evidence = assess()
        span.set_attributes(
            {
                "output.value": "answerable" if evidence.answerable else "not answerable",
                "evidence.probability": evidence.probability,
                "evidence.threshold": evidence.threshold,
            }
        )
        return evidence
