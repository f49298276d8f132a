from __future__ import annotations

import json

import pytest

from agent.models.files import EMBEDDING_WEIGHTS
from agent.models.reader import packaged_span_reader
from tools.knowledge.span_reader import MANIFEST_FILE, PACKAGED_READER, SpanReader

HARBOUR = (
    "The harbour of Skarn was dug in 1874 by the engineer Ada Holm. Its pier is 212 metres long. "
    "Ferries leave for Vinga every two hours, and a ticket costs 14 euros."
)


@pytest.fixture(scope="module")
def reader() -> SpanReader:
    return packaged_span_reader()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who dug the harbour of Skarn?", "Ada Holm"),
        ("When was the harbour dug?", "1874"),
        ("How long is the pier?", "212 metres"),
        ("How much is a ticket to Vinga?", "14 euros"),
    ],
)
def test_the_answer_is_found(reader: SpanReader, question: str, answer: str) -> None:
    found = reader.read(question, HARBOUR)
    assert found is not None
    assert answer in HARBOUR[found.start : found.end]


def test_a_passage_about_something_else_has_a_lower_margin(reader: SpanReader) -> None:
    other = "Card numbers have a check digit. It is computed with the algorithm of Luhn from the other digits."
    found = [reader.read("Who dug the harbour of Skarn?", text) for text in (HARBOUR, other)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].margin > found[1].margin


def test_the_answer_is_found_in_a_long_passage(reader: SpanReader) -> None:
    filler = "Seagulls sit on the roofs and wait for the boats to come home. " * 60
    passage = filler + HARBOUR + filler
    found = reader.read("How long is the pier of the harbour?", passage)
    assert found is not None
    assert "212" in passage[found.start : found.end]


@pytest.mark.parametrize("passage", ["", "   ", "\n"])
def test_where_there_is_nothing_to_read_nothing_is_found(reader: SpanReader, passage: str) -> None:
    assert reader.read("Who?", passage) is None


@pytest.mark.parametrize("question", ["", "?", "的" * 300, "word " * 500])
def test_any_question_is_read(reader: SpanReader, question: str) -> None:
    found = reader.read(question, HARBOUR)
    assert found is not None
    assert 0 <= found.start <= found.end <= len(HARBOUR)


def test_the_manifest_is_that_of_the_weights_and_of_the_base(reader: SpanReader) -> None:
    manifest = json.loads((PACKAGED_READER / MANIFEST_FILE).read_text(encoding="utf-8"))
    assert manifest["version"] == reader.version
    assert manifest["base_sha256"] == EMBEDDING_WEIGHTS.sha256
    assert reader.held_out == frozenset(manifest["held_out"])
