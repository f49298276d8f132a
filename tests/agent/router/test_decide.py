from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.router.decide import DEFAULT_THRESHOLDS, Signals, decide
from agent.router.utterances import INTENTS, Intent


def probabilities(question: float, extraction: float, fraud: float, other: float) -> dict[Intent, float]:
    return {"question": question, "extraction": extraction, "fraud": fraud, "other": other}


@pytest.mark.parametrize(
    ("given_probabilities", "route"),
    [
        (probabilities(0.9, 0.05, 0.03, 0.02), "knowledge"),
        (probabilities(0.02, 0.95, 0.02, 0.01), "extraction"),
        (probabilities(0.02, 0.02, 0.95, 0.01), "fraud"),
        (probabilities(0.02, 0.01, 0.01, 0.96), "unknown"),
    ],
)
def test_clear_messages_go_where_they_belong(given_probabilities: dict[Intent, float], route: str) -> None:
    decision = decide(given_probabilities, Signals())
    assert decision.routed_to == route
    assert not decision.ambiguous
    assert decision.reasons


def test_doubt_between_question_and_idle_talk_is_left_to_the_documents() -> None:
    decision = decide(probabilities(0.47, 0.02, 0.03, 0.48), Signals())
    assert decision.routed_to == "knowledge"
    assert decision.confidence == pytest.approx(0.95)


def test_two_equal_readings_are_both_offered() -> None:
    decision = decide(probabilities(0.03, 0.47, 0.5, 0.0), Signals())
    assert decision.ambiguous
    assert decision.routed_to == "unknown"
    assert list(decision.alternatives) == ["fraud", "extraction"]


def test_an_attached_document_settles_doubt_towards_extraction() -> None:
    doubtful = probabilities(0.5, 0.45, 0.0, 0.05)
    decision = decide(doubtful, Signals(attached_document=True))
    assert decision.routed_to == "extraction"
    assert "a document is attached" in decision.reasons


def test_an_attached_document_leaves_a_clear_question_alone() -> None:
    assert decide(probabilities(0.95, 0.04, 0.0, 0.01), Signals(attached_document=True)).routed_to == "knowledge"


def test_a_transaction_settles_doubt_towards_fraud() -> None:
    doubtful = probabilities(0.5, 0.05, 0.45, 0.0)
    assert decide(doubtful, Signals(transaction_score=0.9)).routed_to == "fraud"


def test_faint_traces_of_a_transaction_change_nothing() -> None:
    given_probabilities = probabilities(0.6, 0.05, 0.3, 0.05)
    assert decide(given_probabilities, Signals(transaction_score=0.3)) == decide(given_probabilities, Signals())


@given(st.lists(st.floats(0.001, 1), min_size=4, max_size=4), st.booleans(), st.floats(0, 1))
def test_decisions_are_well_formed(weights: list[float], attached: bool, transaction: float) -> None:
    total = sum(weights)
    start = dict(zip(INTENTS, (weight / total for weight in weights), strict=True))
    decision = decide(start, Signals(attached, transaction))
    assert sum(decision.probabilities.values()) == pytest.approx(1)
    assert 0 <= decision.confidence <= 1 + 1e-9
    assert decision.ambiguous <= (decision.routed_to == "unknown")
    assert decision.ambiguous == (len(decision.alternatives) == 2)
    assert decision.routed_to not in decision.alternatives
    assert decision == decide(start, Signals(attached, transaction))


@given(st.lists(st.floats(0.001, 1), min_size=4, max_size=4), st.floats(0.5, 1), st.floats(0.5, 1))
def test_more_transaction_means_more_fraud(weights: list[float], one: float, two: float) -> None:
    total = sum(weights)
    start = dict(zip(INTENTS, (weight / total for weight in weights), strict=True))
    low, high = sorted((one, two))
    less = decide(start, Signals(transaction_score=low)).probabilities["fraud"]
    more = decide(start, Signals(transaction_score=high)).probabilities["fraud"]
    assert less <= more + 1e-12


def test_thresholds_are_within_reason() -> None:
    assert 0.5 <= DEFAULT_THRESHOLDS.other_floor < 1
    assert 0 < DEFAULT_THRESHOLDS.ambiguous_margin < 0.3
