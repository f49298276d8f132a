"""What a terminal shows: drafts that give way to the answer, tables and cards that fit 80 columns."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator

import pytest
from rich.console import Console, RenderableType

from agent.results import Citation, Evidence, ExtractedField, ExtractionResult, FraudModel, FraudResult, RedFlag
from server.cli.answers import TurnAnswer, print_support
from server.cli.ask import _follow
from server.cli.backend import Event, Json, ServerError
from server.cli.cards import extraction_table, fraud_card, passage_list
from server.cli.explanations import print_explanation

_RESULT: Json = {
    "route": "unknown",
    "routed_to": "knowledge",
    "confidence": 0.9,
    "answer": "The final answer. [1]",
    "abstained": True,
    "reason": "off_topic",
    "suggestions": ["Ask about: [limits]"],
    "run_id": "r",
    "thread_id": "t-1",
    "trace_id": "x",
    "timings": {"ttft_ms": 5.0, "total_ms": 1500.0},
}


class _Scripted:
    """A backend whose turn is written down beforehand."""

    def __init__(self, *events: Event) -> None:
        self._events = events

    async def chat(self, body: Json) -> AsyncGenerator[Event]:
        for event in self._events:
            yield event


def _terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=80, highlight=False)


def _printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _lines(renderable: RenderableType) -> list[str]:
    console = Console(file=io.StringIO(), width=80)
    console.print(renderable)
    return _printed(console).splitlines()


async def test_the_answer_takes_the_place_of_the_draft() -> None:
    console = _terminal()
    events = [Event("token", {"text": "A dra"}), Event("token", {"text": "ft."}), Event("result", _RESULT)]
    backend = _Scripted(*events, Event("end", {}))
    assert await _follow(backend, {}, console) == _RESULT  # pyright: ignore[reportArgumentType]
    shown = _printed(console)
    assert "A draft." in shown
    assert shown.count("The final answer. [1]") == 1
    assert shown.rstrip().endswith("The final answer. [1]")


async def test_a_pipe_gets_the_answer_only() -> None:
    console = Console(file=io.StringIO(), width=80)
    backend = _Scripted(Event("token", {"text": "A draft."}), Event("result", _RESULT), Event("end", {}))
    await _follow(backend, {}, console)  # pyright: ignore[reportArgumentType]
    assert _printed(console) == "The final answer. [1]\n"


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([Event("error", {"code": "model_unavailable", "message": "No model.", "trace_id": "t9"})], "No model"),
        ([Event("end", {})], "without a result"),
    ],
)
async def test_a_turn_that_failed_raises(events: list[Event], message: str) -> None:
    with pytest.raises(ServerError, match=message):
        await _follow(_Scripted(*events), {}, None)  # pyright: ignore[reportArgumentType]


def test_brackets_of_answers_are_no_markup() -> None:
    console = Console(file=io.StringIO(), width=80)
    print_support(console, TurnAnswer.model_validate(_RESULT))
    shown = _printed(console)
    assert "• Ask about: [limits]" in shown
    assert "unknown (first read as knowledge 90%) · reason: off_topic · 1.5 s" in shown
    assert "--thread t-1" in shown


def test_an_answer_from_the_cache_says_so() -> None:
    for cached in (True, False):
        console = Console(file=io.StringIO(), width=80)
        print_support(console, TurnAnswer.model_validate({**_RESULT, "cached": cached}))
        assert ("· from cache · 1.5 s" in _printed(console)) is cached


def test_citations_show_title_page_and_quote() -> None:
    citation = Citation(n=1, document_id="d", chunk_id="d#1", title="[bold]Rules", page=3, quote="Ten\n  days.")
    console = Console(file=io.StringIO(), width=80)
    print_support(console, TurnAnswer.model_validate({**_RESULT, "citations": [citation]}))
    shown = _printed(console)
    assert "[1] [bold]Rules, page 3" in shown
    assert "“Ten days.”" in shown


def test_extractions_fit_80_columns() -> None:
    quote = "a rather long quote that goes on and on for longer than any column is wide"
    value = ExtractedField(value=quote, evidence=Evidence(start=10, end=84, quote=quote, page=12), confidence=0.5)
    missing = ExtractedField(value=None, evidence=None, confidence=0.9, reason="not_found")
    names = {"a.very_long_path[10].to_a_nested.field": value, "short": missing}
    table = extraction_table(
        ExtractionResult(schema="own_schema", data={}, fields=names, model="m", warnings=["Only a part was read."])
    )
    lines = _lines(table)
    assert max(map(len, lines)) <= 80
    shown = " ".join(lines)
    for part in ("own schema", "p. 12, 10-84", "50%", "not in the", "Only a part was read."):
        assert part in shown


def test_fraud_cards_fit_80_columns() -> None:
    flags = [RedFlag(code="amount_far_above_usual", evidence="2,400.00 EUR is 53.3 times the usual 45.00 EUR " * 3)]
    model = FraudModel(base="base", adapter=None, sha256=None)
    score = FraudResult(label="FRAUD", probability=0.76, calibrated=False, risk_score=76, red_flags=flags,
                        reasoning="Because.", needs_review=True, model=model)  # fmt: skip
    lines = _lines(fraud_card(score))
    assert max(map(len, lines)) <= 80
    shown = " ".join(lines)
    for part in ("FRAUD risk 76 of 100", "not calibrated", "A person should look", "Because.", "no adapter"):
        assert part in shown
    clean = score.model_copy(update={"red_flags": []})
    assert "No red flags." in " ".join(_lines(fraud_card(clean, reasoning=False)))


def test_passages_show_where_they_come_from() -> None:
    found = {"title": "Rules", "page": 2, "score": 0.5, "chunk_id": "d#7", "text": "Ten\ndays."}
    lines = [line.rstrip() for line in _lines(passage_list([found]))]
    assert lines[:2] == ["1 Rules, page 2  0.5000  d#7", "  Ten days."]


def test_explanations_name_both_readings() -> None:
    router: Json = {
        "routed_to": "unknown",
        "confidence": 0.5,
        "probabilities": {"fraud": 0.5, "question": 0.45},
        "alternatives": ["fraud", "knowledge"],
        "reasons": ["both are about equally likely"],
        "ambiguous": True,
    }
    evidence = {"probability": 0.2, "threshold": 0.31, "features": {"top_cosine": 0.1}}
    passages = [{"title": "T" * 90, "page": None, "score": 0.016, "dense": 0.1, "sparse": None}]
    console = Console(file=io.StringIO(), width=80)
    print_explanation(
        console, {"query": "q", "router": router, "evidence": evidence, "passages": passages, "logit": 1.5}
    )
    shown = _printed(console)
    assert max(map(len, shown.splitlines())) <= 80
    for part in ("undecided between: fraud, knowledge", "0.200 < 0.310", "too little", "0.1000", "Logit  1.5"):
        assert part in shown
