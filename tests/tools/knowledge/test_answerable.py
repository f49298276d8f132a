from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.models.reader import packaged_span_reader
from tools.knowledge.answerable import DEFAULT_WEIGHTS, AnswerReader, Verdict
from tools.knowledge.documents import Passage
from tools.knowledge.embed import MiniLMEmbedder
from tools.knowledge.rank import SentenceRanker
from tools.knowledge.sparse import Bm25Encoder

LIGHTHOUSE = (
    "The lighthouse on Skarn was built in 1874 by the engineer Ada Holm. It stands 41 metres above the sea. "
    "Its lamp burned oil until 1921, when it was connected to the electric grid. Two keepers lived there with their"
    " families, and the last of them left in 1968."
)


@pytest.fixture(scope="module")
def reader(embedder: MiniLMEmbedder) -> AnswerReader:
    return AnswerReader.load(embedder.embed_words, packaged_span_reader())


@pytest.fixture(scope="module")
def ranker(embedder: MiniLMEmbedder) -> SentenceRanker:
    return SentenceRanker(embedder, Bm25Encoder())


def judge(reader: AnswerReader, ranker: SentenceRanker, question: str, text: str = LIGHTHOUSE) -> Verdict:
    passage = Passage("d#0", "d", "Skarn lighthouse", text, None, (), 0.03, 0.7, 8.0)
    return reader.read(question, ranker.rank(question, [passage], limit=5), [passage])


@pytest.mark.parametrize(
    ("answered", "near_miss"),
    [
        ("Who built the lighthouse on Skarn?", "Who did not build the lighthouse on Skarn?"),
        ("When was the lamp connected to the grid?", "When was the lamp disconnected from the grid?"),
        ("When did the last keepers leave?", "When did the first keepers leave Gotland?"),
        ("In what year was the lighthouse built?", "In what year before 1790 was the lighthouse of Marstrand built?"),
    ],
)
def test_a_question_that_the_text_answers_beats_its_near_miss(
    reader: AnswerReader, ranker: SentenceRanker, answered: str, near_miss: str
) -> None:
    assert judge(reader, ranker, answered).probability > judge(reader, ranker, near_miss).probability


def test_plain_questions_are_answered(reader: AnswerReader, ranker: SentenceRanker) -> None:
    questions = ["Who built the lighthouse on Skarn?", "How high above the sea does it stand?"]
    assert all(judge(reader, ranker, question).answers for question in questions)


def test_a_denied_and_misnamed_question_is_not(reader: AnswerReader, ranker: SentenceRanker) -> None:
    assert not judge(reader, ranker, "Which Danish engineer did not connect the harbour of Marstrand?").answers


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("What does the express courier cost for a business card?", True),
        ("How much is a replacement for the classic card?", True),
        ("What does insurance cost for a business card?", False),
        ("How long does the express courier take for a business card?", False),
    ],
)
def test_a_tables_row_answers_what_names_it(
    reader: AnswerReader, ranker: SentenceRanker, question: str, *, answers: bool
) -> None:
    table = (
        "| Service | Classic card | Business card |\n| --- | --- | --- |\n"
        "| Replacement card | 10 EUR | 15 EUR |\n| Express courier | 18 EUR | 24 EUR |"
    )
    assert judge(reader, ranker, question, table).answers == answers


@pytest.mark.parametrize("question", ["", "?!", "what about it"])
def test_without_a_content_word_the_verdict_is_no(reader: AnswerReader, ranker: SentenceRanker, question: str) -> None:
    verdict = judge(reader, ranker, question)
    assert not verdict.answers
    assert verdict.probability == 0


def test_without_a_sentence_the_verdict_is_no(reader: AnswerReader) -> None:
    assert not reader.read("Who built the lighthouse?", [], []).answers


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=st.text(max_size=80), text=st.text(max_size=200))
def test_any_text_gets_a_probability(reader: AnswerReader, ranker: SentenceRanker, question: str, text: str) -> None:
    verdict = judge(reader, ranker, question, text)
    assert 0 <= verdict.probability <= 1
    assert verdict.answers == (verdict.probability >= verdict.threshold)


def test_the_packaged_weights_name_every_feature(reader: AnswerReader, ranker: SentenceRanker) -> None:
    features = judge(reader, ranker, "Who built the lighthouse on Skarn?").features
    assert set(features) == set(reader.weights)
    assert "provenance" in json.loads(DEFAULT_WEIGHTS.read_text(encoding="utf-8"))


def test_weights_are_clipped_and_thresholded(embedder: MiniLMEmbedder, ranker: SentenceRanker, tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    fitted = {"weights": {"likeness.passage": [0.0, 0.01, 1.0]}, "bias": -4.0, "threshold": 0.5}
    path.write_text(json.dumps(fitted), encoding="utf-8")
    reader = AnswerReader.load(embedder.embed_words, packaged_span_reader(), path)
    verdict = judge(reader, ranker, "Who built the lighthouse?")
    assert verdict.probability == pytest.approx(0.5)
    assert verdict.answers
