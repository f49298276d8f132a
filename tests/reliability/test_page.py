"""The page says what the results files hold, and which promises do not hold."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.process import ROOT
from tests.reliability.contract import SERVER_ERROR, Calls
from tests.reliability.load import KINDS_WITH_TARGET, broken
from tests.reliability.page import RESULTS, SECTIONS, write_page

MEASURED = ("fuzz", "load", "soak", "contract")
LOADED: dict[str, Any] = {
    "first_event": {"first_event_p50_ms": 30.0, "errors": 0},
    "paced_readers": {"errors": 0},
    "many_runs": {"runs": 200, "complete": 200, "database_is_locked": 0},
    "cost": {kind: {"cpu_ms": 20.0} for kind in KINDS_WITH_TARGET},
}
FAILED = {
    "name": SERVER_ERROR,
    "status": "failure",
    "failure_info": {"failure": {"message": "500", "operation": "GET /a"}},
}


def test_the_page_is_that_of_the_results(tmp_path: Path) -> None:
    write_page(RESULTS, tmp_path / "page.md")
    assert (tmp_path / "page.md").read_text() == (ROOT / "docs" / "reliability.md").read_text()
    assert {name for name in SECTIONS if (RESULTS / f"{name}.json").exists()} >= {"crash", *MEASURED}


def test_results_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "fuzz.json").write_text((RESULTS / "fuzz.json").read_text())
    write_page(tmp_path, tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## Reconnect fuzz"]


def test_figures_at_their_targets_hold() -> None:
    assert broken(LOADED) == []


@pytest.mark.parametrize(
    ("section", "figure", "value"),
    [
        ("first_event", "first_event_p50_ms", 30.1),
        ("first_event", "errors", 1),
        ("paced_readers", "errors", 1),
        ("many_runs", "complete", 199),
        ("many_runs", "database_is_locked", 1),
        ("cost", "langgraph_sync", {"cpu_ms": 20.1}),
    ],
)
def test_a_figure_beyond_its_target_is_said(section: str, figure: str, value: object) -> None:
    found = copy.deepcopy(LOADED)
    found[section][figure] = value
    assert len(broken(found)) == 1


def test_calls_are_counted_and_failures_told() -> None:
    calls = Calls()
    calls.note("LoadingFinished", {"statistic": {"operations": {"selected": 7}}})
    answers = {"1": {"response": {"status_code": 500}}, "2": {"response": {"status_code": 200}}, "3": {}}
    checks = {"1": [FAILED, {"name": "use_after_free", "status": "success"}]}
    recorder = {"label": "GET /a", "interactions": answers, "checks": checks}
    calls.note("ScenarioFinished", {"phase": "coverage", "recorder": recorder})
    calls.note("ScenarioFinished", {"phase": "fuzzing", "recorder": {"label": "GET /b"}})
    calls.note("NonFatalError", {"label": "GET /c"})
    found = calls.as_json()
    assert (found["operations"], found["calls"]) == (7, 3)
    assert found["answers_by_status"] == {"200": 1, "500": 1, "none": 1}
    assert (found["server_errors"], found["schema_violations"]) == (1, 0)
    assert found["broken"] == [f"GET /a: {SERVER_ERROR}: 500", json.dumps({"label": "GET /c"})]
