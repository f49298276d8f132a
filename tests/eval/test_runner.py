from __future__ import annotations

from typing import Any

import pytest

from eval.cases import GoldenCase
from eval.evaluation import Run, evaluate
from eval.outcomes import Outcome
from eval.runner import read_result, run_cases
from tests.eval.build import QUOTE, ScriptedSystem, case, turn_result
from tools.errors import ModelUnavailableError

QUESTION = "How long?"


async def replay(golden: GoldenCase, result: Any, **system: Any) -> Outcome:
    [outcome] = await run_cases(ScriptedSystem({QUESTION: result}, **system), [golden], timeout_s=5)
    return outcome


async def test_a_perfect_case_has_no_cause() -> None:
    outcome = await replay(case(facts=[["90 days"]], document_id="disputes.md"), turn_result())
    assert (outcome.cause, outcome.notes, outcome.instrument_failure) == (None, [], None)
    assert outcome.answered is not None
    assert (outcome.answered.total_ms, outcome.answered.ttft_ms) == (100, 40)


async def test_all_turns_and_the_document_reach_the_system() -> None:
    golden = case(turns=["For credit cards?", QUESTION]).model_copy(update={"document": "samples/README.md"})
    system = ScriptedSystem({QUESTION: turn_result()})
    await run_cases(system, [golden])
    assert system.asked == [(["For credit cards?", QUESTION], golden.document_path)]


async def test_a_time_out_is_no_wrong_answer() -> None:
    [outcome] = await run_cases(ScriptedSystem({}), [case()], timeout_s=0.01)
    assert outcome.instrument_failure is not None
    assert outcome.instrument_failure.code == "timeout"
    assert (outcome.scores, outcome.cause) == ({}, None)


async def test_an_error_and_a_missing_model_are_no_wrong_answers() -> None:
    failed = await replay(case(), ModelUnavailableError("The model does not answer."))
    degraded = await replay(case(), turn_result(degraded=True))
    codes = [outcome.instrument_failure.code for outcome in (failed, degraded) if outcome.instrument_failure]
    assert codes == ["model_unavailable", "degraded"]
    assert failed.scores == degraded.scores == {}


async def test_an_answer_from_the_cache_is_not_judged() -> None:
    outcome = await replay(case(), turn_result(cached=True))
    assert outcome.instrument_failure is not None
    assert (outcome.instrument_failure.code, outcome.scores) == ("cached", {})


async def test_every_outcome_is_told_as_it_ends() -> None:
    told: list[str] = []
    cases = [case(case_id="k-1"), case(case_id="k-2")]
    system = ScriptedSystem({QUESTION: turn_result()})
    await run_cases(system, cases, on_outcome=lambda outcome: told.append(outcome.id))
    assert told == ["k-1", "k-2"]


@pytest.mark.parametrize(
    ("golden", "result", "cause"),
    [
        (case(), turn_result("fraud"), "routing"),
        (case(), turn_result("unknown", routed_to="knowledge"), "false abstention"),
        (case("unknown"), turn_result(), "answered"),
        (case("unknown"), turn_result("extraction"), "routing"),
        (case("extraction", fields={"total": 1.0}), turn_result("extraction"), "extraction"),
        (case("fraud"), turn_result("fraud"), "fraud"),
        (case(facts=[["Head of Disputes"]]), turn_result(), "sentence choice"),
        (case(facts=[["Board of Directors"]]), turn_result(), "retrieval"),
        (case(facts=[["90 days"]], document_id="fees.md"), turn_result(), "citation"),
        (case(facts=[["90 days"]]), turn_result(answer=f"{'well ' * 70}{QUOTE} [1]"), "sentence choice"),
    ],
)
async def test_the_cause_is_the_first_step_that_went_wrong(
    golden: GoldenCase, result: dict[str, Any], cause: str
) -> None:
    assert (await replay(golden, result)).cause == cause


async def test_the_right_fact_in_a_passage_of_another_document_is_a_retrieval_miss() -> None:
    golden = case(facts=[["Head of Disputes"]], document_id="other.md")
    assert (await replay(golden, turn_result())).cause == "retrieval"


def test_a_result_keeps_what_explains_it_and_drops_the_rest() -> None:
    explanation = {
        "query": "How long for debit cards?",
        "router": {"probabilities": {"question": 0.9}, "reasons": [], "confidence": 0.9},
        "evidence": {"probability": 0.8, "threshold": 0.5, "features": {"cosine": 0.4}},
        "passages": [{"chunk_id": "disputes.md#0", "score": 0.1}],
    }
    assert read_result(turn_result(explanation=explanation)).explanation == {
        "query": "How long for debit cards?",
        "router": {"probabilities": {"question": 0.9}, "reasons": []},
        "evidence": {"probability": 0.8, "threshold": 0.5},
        "passages": ["disputes.md#0"],
    }


async def test_an_evaluation_has_the_figures_of_both_systems() -> None:
    cases = [case(facts=[["90 days"]]), case("unknown", ["Will it rain?"], "u-1")]
    ours = ScriptedSystem({QUESTION: turn_result(), "Will it rain?": turn_result("unknown")})
    simple = ScriptedSystem({QUESTION: turn_result("unknown"), "Will it rain?": turn_result("fraud")})
    evaluation = await evaluate(ours, simple, cases, Run("full", "abc"))
    found = evaluation.measure("all.route_accuracy")
    assert found is not None
    assert (found.n, found.value) == (2, 1)
    assert {figure.key: figure.value for figure in evaluation.baseline}["all.route_accuracy"] == 0
    assert [cost.route for cost in evaluation.costs] == ["knowledge", "unknown", "all"]
