"""Personal data stays out of the log and the traces, and in the user's own answer and thread."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from server.cli.serve import NOISY_LOGGERS
from server.masking import PersonalDataFilter, mask_log_output
from server.phoenix import phoenix_traces
from tests.fakes.endpoint import FakeEndpoint, Reply
from tests.server.site import open_site
from tests.server.test_traces import new_run

CARD, IBAN, EMAIL = "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "ana.lo@example.org"
PERSONAL = (CARD, CARD.replace(" ", ""), IBAN, IBAN.replace(" ", ""), EMAIL, "Ana Lo")
REFUND = f"""# Dispute windows

A cardholder may dispute a credit card charge within 120 days of the posting date and is paid to the account {IBAN}.

Questions about card {CARD} go to {EMAIL}.
"""
TRANSACTION = {"amount": 2400, "currency": "EUR", "merchant": "X", "customer_name": "Ana Lo", "note": f"{CARD} {EMAIL}"}


def logged(message: str, *args: object, exc_info: bool = False) -> str:
    """A log line as a handler with the filter writes it."""
    logger = logging.getLogger("tests.masking")
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(handler.format(record))
    handler.addFilter(PersonalDataFilter())
    logger.addHandler(handler)
    try:
        logger.error(message, *args, exc_info=exc_info)
    finally:
        logger.removeHandler(handler)
    (line,) = lines
    return line


def test_a_message_and_its_arguments_are_masked() -> None:
    assert logged("card %s of %s, %d EUR", CARD, {"customer_name": "Ana Lo"}, 2400) == (
        "card [card] of {'customer_name': '[name]'}, 2400 EUR"
    )


def test_an_exception_is_masked() -> None:
    try:
        raise ValueError(f"{EMAIL} is no IBAN:\n{IBAN}")
    except ValueError:
        line = logged("failed", exc_info=True)
    assert "ValueError: [email] is no IBAN:\n[iban]" in line
    assert "Traceback" in line


def test_a_wrong_call_of_the_logger_neither_fails_nor_prints_its_arguments() -> None:
    line = logged("%s of %s", CARD)
    assert "do not fit" in line
    assert CARD not in line


def test_all_output_of_the_process_is_masked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    handler, last = logging.Handler(), logging.Handler()
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    monkeypatch.setattr(logging, "lastResort", last)
    mask_log_output()
    mask_log_output()
    assert [len(one.filters) for one in (handler, last)] == [1, 1]


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> list[ReadableSpan]:
    """The spans that would have left."""
    spans: list[ReadableSpan] = []

    def keep(self: OTLPSpanExporter, batch: Sequence[ReadableSpan]) -> SpanExportResult:
        spans.extend(batch)
        return SpanExportResult.SUCCESS

    monkeypatch.setattr(OTLPSpanExporter, "export", keep)
    return spans


def said(spans: Sequence[ReadableSpan]) -> str:
    """Everything that spans say, as text."""
    return "\n".join(span.to_json() for span in spans)


@pytest.mark.parametrize("masked", [True, False])
def test_a_failed_run_is_masked_with_its_exception(exported: list[ReadableSpan], masked: bool) -> None:
    with (
        phoenix_traces("http://127.0.0.1:9", mask_pii=masked) as traces,
        pytest.raises(RuntimeError),
        traces.run(new_run(f"Card {CARD}")),
    ):
        raise RuntimeError(f"no account {IBAN}")
    (span,) = exported
    assert span.attributes is not None
    assert span.attributes["input.value"] == ("Card [card]" if masked else f"Card {CARD}")
    assert span.status.description == f"RuntimeError: no account {'[iban]' if masked else IBAN}"
    assert (IBAN in said(exported)) is not masked
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == new_run().trace_id


def test_a_run_leaves_no_personal_data_outside_its_answer(
    fake: FakeEndpoint,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    exported: list[ReadableSpan],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.handler.addFilter(PersonalDataFilter())
    caplog.set_level(logging.DEBUG)
    for name in NOISY_LOGGERS:
        caplog.set_level(logging.WARNING, name)
    with open_site(tmp_path, fake, pytestconfig, phoenix_endpoint="http://127.0.0.1:9") as site:
        site.add({"id": "disputes", "title": "Dispute windows", "text": REFUND})
        result = site.chat()
        message = f"Is this fraud? {json.dumps(TRANSACTION)}"
        fraud = site.chat(message)
        thread = site.http.get(f"/threads/{fraud['thread_id']}").json()
        fake.script = lambda _: Reply(status=400)
        site.http.post("/fraud/score", json={"transaction": TRANSACTION})
        logging.getLogger("server.test").error("could not answer %r", message)
    assert IBAN in result["answer"], result
    assert fraud["route"] == "fraud"
    assert thread["turns"][0]["message"] == message
    spans = said(exported)
    assert {"[card]", "[iban]", "[email]", "[name]"} <= set(re.findall(r"\[\w+\]", spans))
    assert result["trace_id"] in spans
    assert [text for text in PERSONAL if text in spans] == []
    assert "could not answer" in caplog.text
    assert [text for text in PERSONAL if text in caplog.text] == []
