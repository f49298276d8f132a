from __future__ import annotations

import sys
from pathlib import Path

import pytest
from rich.console import Console

from eval.charts import MissingDependencyError
from eval.gate import Baseline, Limits, check, compare
from eval.outcomes import Evaluation, InstrumentFailure
from eval.report import render, write_report
from eval.tables import comparison_table, cost_table, failure_table, figure_table, verdict_table
from tests.eval.build import evaluation, outcome

LIMITS = Limits(floors={"knowledge.fact_match": 0.7})
BASELINE = Baseline(full=LIMITS, quick=LIMITS)


@pytest.fixture
def result() -> Evaluation:
    timed_out = InstrumentFailure(code="timeout", message="no result within 5 s")
    return evaluation(
        [
            outcome("k-1"),
            outcome(
                "k-2", scores={"route_accuracy": 1.0, "fact_match": 0.0}, cause="retrieval", notes=["lacks 4|5 EUR"]
            ),
            outcome("u-1", "unknown", scores={"route_accuracy": 1.0, "abstention": 1.0}),
            outcome("u-2", "unknown", scores={}, answered=None, instrument_failure=timed_out),
        ],
        baseline=[outcome("k-1", scores={"fact_match": 0.25})],
    )


def test_the_page_says_what_was_measured(result: Evaluation) -> None:
    page = render(result, BASELINE, source="results/golden.json", chart="images/golden.png")
    assert "| knowledge | fact match | 0.500 |" in page
    assert "| >= 0.7 | 0.250 |" in page
    assert "4 cases (full set) on 2026-03-01" in page
    assert "Below the gate: knowledge.fact_match, instrument failures. 1 cases could not be judged." in page
    assert "### retrieval (1)" in page
    assert "| k-2 | How long? | lacks 4\\|5 EUR |" in page
    assert "### instrument (1)" in page
    assert "![Every figure with its interval, its limit and the baseline](images/golden.png)" in page


def test_the_page_and_its_picture_are_the_same_for_the_same_result(result: Evaluation, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the eval and dev extras have it")
    written: list[tuple[bytes, bytes]] = []
    for _ in range(2):
        page, chart = tmp_path / "docs" / "evaluation.md", tmp_path / "docs" / "images" / "golden.png"
        write_report(result, BASELINE, source=Path("golden.json"), page=page, chart=chart)
        written.append((page.read_bytes(), chart.read_bytes()))
    assert written[0] == written[1]
    assert written[0][1].startswith(b"\x89PNG")
    assert b"](images/golden.png)" in written[0][0]


def test_without_matplotlib_the_install_command_is_named(
    result: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match="pip install 'matplotlib"):
        write_report(result, BASELINE, source=Path("g.json"), page=tmp_path / "p.md", chart=tmp_path / "c.png")
    assert list(tmp_path.iterdir()) == []


def test_the_tables_fit_a_terminal(result: Evaluation) -> None:
    console = Console(width=80)
    tables = [figure_table(result, LIMITS), cost_table(result), failure_table(result)]
    with console.capture() as capture:
        for table in (*tables, verdict_table(check(result, BASELINE)), comparison_table(compare(result, result))):
            console.print(table)
    text = capture.get()
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "fact match" in text
    assert "timeout: no result within 5 s" in text
    assert "fails" in text
    assert "+0.000" in text
