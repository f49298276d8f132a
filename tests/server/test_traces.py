"""Traces: what arrives in a real Phoenix, and that a Phoenix which is away changes nothing for a chat."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from agent.settings import Settings
from agent.spans import traced_retrieval
from server.application import open_application
from server.phoenix import QUEUED_SPANS, PhoenixEndpointError, collector_url, phoenix_traces
from server.runs.rows import NewRun
from tests.fakes.endpoint import FakeEndpoint, Reply
from tests.server.phoenix_server import Phoenix, free_port, phoenix_server
from tests.server.site import ANSWER, QUESTION, Site, open_site
from tools.knowledge.documents import Retrieval

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="session")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phoenix]:
    """One Phoenix for the session."""
    with phoenix_server(tmp_path_factory.mktemp("phoenix")) as server:
        yield server


def new_run(message: str = QUESTION) -> NewRun:
    """A run that never was in a database."""
    return NewRun("run-1", "thread-1", "owner", message, {}, "0af7651916cd43dd8448eb211c80319c")


@contextmanager
def silent_collector() -> Iterator[str]:
    """An address that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://localhost:6006", "http://localhost:6006/v1/traces"),
        ("http://localhost:6006/", "http://localhost:6006/v1/traces"),
        ("http://localhost:6006/v1/traces", "http://localhost:6006/v1/traces"),
        ("https://host.example/phoenix", "https://host.example/phoenix/v1/traces"),
        (" http://[::1]:6006/v1/traces/ ", "http://[::1]:6006/v1/traces"),
    ],
)
def test_the_endpoint_may_be_phoenix_or_its_collector(endpoint: str, url: str) -> None:
    assert collector_url(endpoint) == url


@pytest.mark.parametrize("endpoint", ["", "localhost:6006", "ftp://localhost", "http://", "/v1/traces"])
async def test_a_wrong_endpoint_stops_the_start_with_one_clear_line(endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(PhoenixEndpointError, match="SWITCHYARD_PHOENIX_ENDPOINT"):
        async with open_application(Settings(data_dir=tmp_path, phoenix_endpoint=endpoint)):
            pass


def test_without_an_endpoint_nothing_is_loaded_or_instrumented() -> None:
    script = """
import sys
import server.app
from agent.settings import Settings
from langchain_core.callbacks import BaseCallbackManager
from server.traces import NO_TRACES, tracing

before = BaseCallbackManager.__init__
with tracing(Settings()) as traces:
    assert traces is NO_TRACES
    assert BaseCallbackManager.__init__ is before
loaded = [name for name in sys.modules if name.startswith(("openinference", "opentelemetry.exporter", "phoenix"))]
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize("away", ["closed port", "never answers"])
def test_a_phoenix_that_is_away_changes_nothing(
    away: str,
    fake: FakeEndpoint,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    exporting: list[str] = []
    export = OTLPSpanExporter.export

    def watched(self: OTLPSpanExporter, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        exporting.append(threading.current_thread().name)
        return export(self, spans)

    monkeypatch.setattr(OTLPSpanExporter, "export", watched)
    with silent_collector() as silent:
        endpoint = silent if away == "never answers" else f"http://127.0.0.1:{free_port()}"
        with open_site(tmp_path, fake, pytestconfig, phoenix_endpoint=endpoint) as site:
            for _ in range(3):
                result = site.chat()
                assert (result["route"], result["citations"][0]["quote"]) == ("knowledge", ANSWER)
            served_by = {thread.name for thread in threading.enumerate()}
        assert exporting, "nothing was even tried"
        assert "uvicorn" in served_by
        assert all(name.startswith("OtelBatch") for name in exporting)
    # One line, not one a batch: that Phoenix takes none, or that the last ones could not be sent.
    warned = [record.message for record in caplog.records if record.name == "server.phoenix"]
    assert len(warned) == 1, warned


def test_a_collector_that_hangs_costs_old_spans_and_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    exported: list[ReadableSpan] = []

    def hang(self: OTLPSpanExporter, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        release.wait()
        exported.extend(spans)
        return SpanExportResult.SUCCESS

    monkeypatch.setattr(OTLPSpanExporter, "export", hang)
    runs = 2 * QUEUED_SPANS
    with phoenix_traces("http://127.0.0.1:9") as traces:
        for _ in range(runs):
            with traces.run(new_run()):
                pass
        release.set()
    assert QUEUED_SPANS <= len(exported) < runs


async def test_retrieval_outside_of_a_traced_run_is_just_awaited() -> None:
    found = Retrieval([], 0, "v")

    async def search() -> Retrieval:
        return found

    assert await traced_retrieval("why?", search()) is found


def test_a_failed_run_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    exported: list[ReadableSpan] = []

    def keep(self: OTLPSpanExporter, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        exported.extend(spans)
        return SpanExportResult.SUCCESS

    monkeypatch.setattr(OTLPSpanExporter, "export", keep)
    with (
        phoenix_traces("http://127.0.0.1:9") as traces,
        pytest.raises(RuntimeError, match="broken"),
        traces.run(new_run()),
    ):
        raise RuntimeError("broken")
    assert [(span.status.is_ok, span.status.description) for span in exported] == [(False, "RuntimeError: broken")]


@pytest.fixture(scope="module")
def traced(
    _fake: FakeEndpoint, phoenix: Phoenix, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Site]:
    """A server that sends its traces to the real Phoenix."""
    with open_site(tmp_path_factory.mktemp("traced"), _fake, pytestconfig, phoenix_endpoint=phoenix.url) as site:
        yield site


def kind(spans: Sequence[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The spans of a kind."""
    return [span for span in spans if span["span_kind"] == name]


def test_a_run_is_one_trace_with_its_session_its_model_calls_and_its_retrieval(traced: Site, phoenix: Phoenix) -> None:
    result = traced.chat()
    spans = phoenix.spans(result["trace_id"])

    (root,) = [span for span in spans if span["parent_id"] is None]
    assert root["name"] == f"run {result['run_id']}"
    assert root["status_code"] == "OK"
    said = root["attributes"]
    assert (said["input.value"], said["output.value"]) == (QUESTION, result["answer"])
    assert said["session.id"] == result["thread_id"]
    assert said["user.id"] not in ("", "local")
    assert (said["metadata.run_id"], said["metadata.route"]) == (result["run_id"], "knowledge")

    used = {name: said[f"metadata.versions.{name}"] for name in result["versions"]}
    assert used == result["versions"] == {"answer_model": "fake-answer", "answer_prompt": "prose.v3"}

    ids = {span["context"]["span_id"]: span for span in spans}
    assert all(span["parent_id"] in ids for span in spans if span is not root)
    assert {"route", "knowledge"} <= {span["name"] for span in kind(spans, "CHAIN")}

    (retrieval,) = kind(spans, "RETRIEVER")
    assert ids[retrieval["parent_id"]]["name"] == "knowledge"
    assert retrieval["attributes"]["retrieval.documents.0.document.id"] == "disputes#0"
    assert ANSWER in retrieval["attributes"]["retrieval.documents.0.document.content"]
    assert retrieval["attributes"]["retrieval.documents.0.document.score"] > 0
    (gate,) = kind(spans, "GUARDRAIL")
    assert gate["attributes"]["output.value"] == "answerable"

    (call,) = kind(spans, "LLM")
    assert call["attributes"]["llm.model_name"] == "fake-answer"
    assert call["attributes"]["llm.token_count.completion"] == result["usage"]["completion_tokens"]
    assert call["attributes"]["session.id"] == result["thread_id"]


def test_the_turns_of_a_thread_are_traces_of_one_session(traced: Site, phoenix: Phoenix) -> None:
    first = traced.chat("What is the weather on the moon tonight?")
    second = traced.chat(thread_id=first["thread_id"])
    roots = [
        span for result in (first, second) for span in phoenix.spans(result["trace_id"]) if span["parent_id"] is None
    ]
    assert first["trace_id"] != second["trace_id"]
    assert {span["attributes"]["session.id"] for span in roots} == {first["thread_id"]}


def test_a_cancelled_run_ends_all_its_spans(traced: Site, phoenix: Phoenix, fake: FakeEndpoint) -> None:
    hold = threading.Event()
    fake.script = lambda _: Reply("A long answer that nobody waits for [1].", hold=hold)
    with traced.http.stream("POST", "/chat", json={"message": QUESTION}) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: ") and "run_id" in line:
                run_id = json.loads(line.removeprefix("data: "))["run_id"]
            if line == "event: token":
                break
    assert traced.http.post(f"/runs/{run_id}/cancel").status_code == 200
    hold.set()
    trace_id = traced.rows("SELECT trace_id FROM runs WHERE run_id = ?", run_id)[0]["trace_id"]
    spans = phoenix.spans(trace_id)
    (root,) = [span for span in spans if span["parent_id"] is None]
    assert (root["status_code"], root["status_message"]) == ("ERROR", "cancelled")
    assert [span["status_code"] for span in kind(spans, "LLM")] == ["ERROR"]
