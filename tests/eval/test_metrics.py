from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.results import Route
from eval.cases import GoldenCase
from eval.metrics import citation_problem, judge, names_an_amount, normalised, same_value, states
from eval.outcomes import Answered
from tests.eval.build import QUOTE, TEXT, answered, case, citation, fraud

DOCUMENTS = {"disputes.md": TEXT}


def scores(golden: GoldenCase, result: Answered) -> dict[str, float]:
    return {score.metric: score.value for score in judge(golden, result, DOCUMENTS)}


def test_a_right_answer_is_perfect() -> None:
    golden = case(facts=[["90 days", "ninety days"], ["debit"]], document_id="disputes.md")
    assert scores(golden, answered()) == {
        "route_accuracy": 1,
        "fact_match": 1,
        "fact_match_short": 1,
        "false_abstention": 0,
        "source_accuracy": 1,
        "citations_valid": 1,
    }


def test_one_missing_fact_of_two_fails_the_case_and_says_which() -> None:
    golden = case(facts=[["90 days"], ["15 EUR", "fifteen euros"]])
    found = judge(golden, answered(), DOCUMENTS)
    fact = next(score for score in found if score.metric == "fact_match")
    assert (fact.value, fact.note) == (0, "lacks 15 EUR / fifteen euros")


def test_a_long_answer_has_the_fact_but_is_not_short() -> None:
    found = scores(case(facts=[["90 days"]]), answered(answer=f"{'very ' * 60}{QUOTE} [1]"))
    assert (found["fact_match"], found["fact_match_short"]) == (1, 0)


def test_abstaining_on_an_answerable_question_is_a_false_abstention() -> None:
    found = scores(case(facts=[["90 days"]]), answered("unknown", answer="I don't know, not even within 90 days."))
    assert (found["route_accuracy"], found["fact_match"], found["false_abstention"]) == (0, 0, 1)
    assert "citations_valid" not in found


def test_another_document_than_the_expected_one_is_a_wrong_source_but_a_valid_citation() -> None:
    found = scores(case(facts=[["90 days"]], document_id="fees.md"), answered())
    assert (found["source_accuracy"], found["citations_valid"]) == (0, 1)


def test_abstention_is_judged_on_unknown_cases() -> None:
    assert scores(case("unknown"), answered("unknown"))["abstention"] == 1
    told = scores(case("unknown"), answered())
    assert (told["abstention"], told["route_accuracy"]) == (0, 0)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"answer": "90 days."}, "without citations"),
        ({"answer": "90 days. [1][2]"}, r"no citation for \[2\]"),
        ({"citations": [citation(), citation(2)]}, r"\[2\] is not in the answer"),
        ({"citations": [citation(), citation()]}, "two citations"),
        ({"citations": [citation(document_id="gone.md")]}, "does not exist"),
        ({"citations": [citation(quote="Disputes take 80 days.")]}, "not verbatim"),
        ({"citations": [citation(quote=QUOTE.lower())]}, "not verbatim"),
        ({"citations": [citation(quote="  ")]}, "not verbatim"),
    ],
)
def test_each_fault_of_a_citation_is_found(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        assert citation_problem(answered(**fields), DOCUMENTS) is None


def test_an_abstention_must_not_cite() -> None:
    found = scores(case("unknown"), answered("unknown", citations=[citation()]))
    assert found["citations_valid"] == 0


def test_fields_count_one_by_one() -> None:
    golden = case("extraction", fields={"total": 58.0, "date": "2026-03-14", "iban": None, "items[1].name": "Tea"})
    data = {"total": 58.004, "date": "2026-03-15", "iban": None, "items": [{"name": "Soup"}, {"name": "TEA"}]}
    assert scores(golden, answered("extraction", data=data))["field_match"] == 0.75


def test_an_invented_value_is_wrong_and_nothing_extracted_scores_nothing() -> None:
    golden = case("extraction", fields={"iban": None})
    assert scores(golden, answered("extraction", data={"iban": "IE00"}))["field_match"] == 0
    assert scores(golden, answered("knowledge"))["field_match"] == 0


def test_a_scored_transaction_is_assessed() -> None:
    golden = case("fraud", ["Is 40 EUR at a shop fraud?"])
    assert scores(golden, answered("fraud", fraud=fraud()))["assessment"] == 1
    assert scores(golden, answered("fraud", fraud=fraud(risk_score=82)))["assessment"] == 0
    assert scores(golden, answered("fraud", reason="missing_fields"))["assessment"] == 0


def test_the_expected_label_counts_where_one_is_given() -> None:
    golden = case("fraud", ["Is 40 EUR at a shop fraud?"], label="LEGITIMATE")
    assert scores(golden, answered("fraud", fraud=fraud()))["assessment"] == 0
    assert scores(golden, answered("fraud", fraud=fraud(0.2, 20, "LEGITIMATE")))["assessment"] == 1


def test_without_an_amount_the_system_must_ask() -> None:
    golden = case("fraud", ["Score a payment at a shop."])
    assert scores(golden, answered("fraud", reason="missing_fields"))["assessment"] == 1
    assert scores(golden, answered("fraud", fraud=fraud()))["assessment"] == 0
    assert scores(golden, answered("unknown", reason="missing_fields"))["assessment"] == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("23.40 EUR at a shop", True),
        ("EUR 512.00", True),
        ("€5", True),
        ("a 9 euro coffee", True),
        ('{"amount": 54.1}', True),
        ("amount: 1.10", True),
        ("I don't have the amount at hand", False),
        ("customer C-71052, card 412 days old", False),
    ],
)
def test_amounts_are_recognised(text: str, expected: bool) -> None:
    assert names_an_amount([text]) is expected


@pytest.mark.parametrize(
    ("answer", "fact", "expected"),
    [
        ("within 30 days", "30 days", True),
        ("within 30\n  Days", "30 days", True),
        ("within 130 days", "30 days", False),
        ("at least 1,150 EUR", "150 EUR", False),
        ("account 48101", "4810", False),
        ("account 4810.", "4810", True),
        ("a fee of 1.5%", "1.5%", True),
        ("a fee of 1.55%", "1.5", False),
        ("does not “switch off”", 'not "switch off"', True),
        ("within 30 [1] days", "30 days", True),
    ],
)
def test_facts_are_found_as_people_write_them(answer: str, fact: str, expected: bool) -> None:
    assert states(answer, fact) is expected


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        ("Harbour Analytics Limited", "HARBOUR ANALYTICS  Limited.", True),
        ("Harbour Analytics Limited", "Harbour Analytics", False),
        ("IE46HBAN93115212345678", "IE46 HBAN 9311 5212 3456 78", True),
        ("2026-03-17", "2026-03-17T16:20:11+01:00", True),
        ("2026-03-17", "17 March 2026", False),
        (58.0, 58, True),
        (58.0, 58.01, False),
        (58.0, "58.00", False),
        (0.0, None, False),
        (None, None, True),
        (None, "", False),
        (True, True, True),
        (True, 1, False),
    ],
)
def test_values_are_compared_by_what_they_mean(expected: Any, found: Any, same: bool) -> None:
    assert same_value(expected, found) is same


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@given(st.text(), st.text(min_size=1), st.text())
def test_a_fact_of_letters_is_found_wherever_it_stands(before: str, fact: str, after: str) -> None:
    letters = "".join(character for character in fact if character.isascii() and character.isalpha())
    if letters:
        assert states(f"{before} {letters} {after}", letters)


@pytest.mark.parametrize("kind", ["knowledge", "extraction", "fraud", "unknown"])
def test_the_wrong_route_is_wrong_for_every_kind(kind: Route) -> None:
    other: Route = "fraud" if kind != "fraud" else "unknown"
    fields: dict[str, Any] = {"fields": {"total": 1.0}} if kind == "extraction" else {}
    assert scores(case(kind, **fields), answered(other))["route_accuracy"] == 0
