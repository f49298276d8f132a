"""The page says what the results file holds, and scenarios can be played again."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

from tests.crash.callers import KINDS, read_events
from tests.crash.oracle import Findings
from tests.crash.points import POINTS, Plan
from tests.crash.report import results, section
from tests.crash.scenarios import Outcome, scenario


def outcome(point: str, **findings: object) -> dict[str, object]:
    found = Findings(acknowledged=4, runs=5, taken_over=1)
    for name, value in findings.items():
        setattr(found, name, value)
    return Outcome(0, Plan(point, "SIGKILL", 1), None, True, 1, 2.5, found).as_json()


def test_the_totals_are_those_of_the_scenarios() -> None:
    outcomes = [outcome("run.after"), outcome("end.inside", lost=["a run"], duplicated=["a line", "another"])]
    data = results({"seed": 7, "machine": "two cores"}, outcomes)
    assert (data["scenarios"], data["deaths"], data["runs"], data["acknowledged"]) == (2, 2, 10, 8)
    assert (data["lost"], data["duplicated"], data["broken_logs"]) == (1, 2, 0)
    text = "\n".join(section(data))
    assert "| runs lost | 1 | 0 |" in text
    assert f"| {POINTS['end.inside'].says} | 1 | 1 | 3 |" in text
    assert f"| {POINTS['run.after'].says} | 1 | 1 | 0 |" in text


def test_a_scenario_is_the_same_for_the_same_seed() -> None:
    assert asdict(scenario(3, 5)) == asdict(scenario(3, 5))
    assert asdict(scenario(3, 5)) != asdict(scenario(4, 5))


def test_every_point_has_its_turn_and_every_client_is_there() -> None:
    scenes = [scenario(1, number) for number in range(30)]
    struck = Counter(scene.plan.point for scene in scenes)
    assert set(struck) == set(POINTS) - {"takeover"}
    assert set(struck.values()) == {2}
    for scene in scenes:
        assert {caller.kind for caller in scene.callers} == set(KINDS)
        assert len({caller.key for caller in scene.callers}) == len(scene.callers)


def test_half_an_event_was_not_told() -> None:
    lines = ["id: r:1", "event: run", 'data: {"a": 1}', "", ": ping", "", "id: r:2", "event: token"]
    assert [(event.seq, event.name, event.data) for event in read_events(lines)] == [(1, "run", '{"a": 1}')]
