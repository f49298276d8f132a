from __future__ import annotations

from pathlib import Path

import pytest

from eval.gate import Baseline, Limits, check, compare, load_baseline
from eval.outcomes import InstrumentFailure, load_evaluation
from tests.eval.build import evaluation, outcome
from tools.errors import InputError

LIMITS = Limits(floors={"knowledge.fact_match": 0.7}, ceilings={"knowledge.false_abstention": 0.1})
BASELINE = Baseline(full=LIMITS, quick=Limits(floors={"unknown.abstention": 0.5}))


def failing(*scores: dict[str, float]) -> list[str]:
    result = evaluation([outcome(f"k-{n}", scores=given) for n, given in enumerate(scores)])
    return [verdict.key for verdict in check(result, BASELINE) if not verdict.passed]


def test_floors_and_ceilings_hold() -> None:
    good, bad = {"fact_match": 1.0, "false_abstention": 0.0}, {"fact_match": 0.0, "false_abstention": 1.0}
    assert failing(good) == []
    assert failing(bad) == ["knowledge.fact_match", "knowledge.false_abstention"]
    assert failing(*[good] * 9, {"fact_match": 0.0, "false_abstention": 1.0}) == []


def test_what_was_not_measured_does_not_pass() -> None:
    assert failing({"fact_match": 1.0}) == ["knowledge.false_abstention"]


def test_the_subset_chooses_its_limits() -> None:
    result = evaluation([outcome("u-1", "unknown", scores={"abstention": 1.0})], subset="quick")
    assert all(verdict.passed for verdict in check(result, BASELINE))


def test_cases_that_cannot_be_judged_fail_the_gate() -> None:
    unjudged = outcome("k-9", scores={}, instrument_failure=InstrumentFailure(code="timeout", message=""))
    good = outcome(scores={"fact_match": 1.0, "false_abstention": 0.0})
    verdicts = check(evaluation([good, unjudged]), BASELINE)
    assert [verdict.key for verdict in verdicts if not verdict.passed] == ["instrument failures"]


@pytest.mark.parametrize("subset", ["full", "quick"])
def test_the_committed_floors_are_at_least_what_was_promised(subset: str) -> None:
    floors = getattr(load_baseline(), subset).floors
    assert floors["all.route_accuracy"] >= 0.95
    assert floors["knowledge.fact_match"] >= 0.7
    assert floors["all.citations_valid"] >= 0.95
    assert floors["unknown.abstention"] >= 0.85


def test_an_unknown_figure_in_the_baseline_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text('{"full": {"floors": {"knowledge.wisdom": 1}}, "quick": {"floors": {}}}')
    with pytest.raises(InputError, match=r"knowledge\.wisdom"):
        load_baseline(path)
    with pytest.raises(InputError, match="cannot be read"):
        load_baseline(tmp_path / "missing.json")


def test_a_result_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = evaluation([outcome()])
    written.save(tmp_path / "new" / "result.json")
    assert load_evaluation(tmp_path / "new" / "result.json") == written


def test_a_missing_or_foreign_result_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="eval run --out"):
        load_evaluation(tmp_path / "none.json")
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(InputError, match="no result file"):
        load_evaluation(tmp_path / "other.json")


def test_a_comparison_names_the_cases_that_changed() -> None:
    right, wrong = {"fact_match": 1.0, "false_abstention": 0.0}, {"fact_match": 0.0, "false_abstention": 0.0}
    before = evaluation([outcome("a", scores=right), outcome("b", scores=wrong), outcome("c", scores=right)])
    after = evaluation([outcome("a", scores=wrong), outcome("b", scores=right), outcome("d", scores=right)]).model_copy(
        update={"golden_sha256": "1" * 64}
    )
    found = compare(before, after)
    assert (found.better, found.worse, found.same_cases) == (["b"], ["a"], False)
    assert [change.difference for change in found.changes] == [0, 0]


def test_abstaining_falsely_is_worse_than_answering_wrongly() -> None:
    wrong = evaluation([outcome("a", scores={"fact_match": 0.0, "false_abstention": 0.0})])
    silent = evaluation([outcome("a", scores={"fact_match": 0.0, "false_abstention": 1.0})])
    assert compare(wrong, silent).worse == ["a"]
