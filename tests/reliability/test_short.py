"""Short versions of the measurements, without figures: what must never happen does not happen here either."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability.fuzz import Outcome, fuzz
from tests.reliability.load import cost_of_runs, many_runs, paced_readers
from tests.reliability.slope import FEWEST
from tests.reliability.soak import FIGURES, Sample, Soak
from tests.reliability.stage import Stage
from tests.server.site import QUESTION

pytestmark = pytest.mark.timeout(600)


async def test_readers_that_are_cut_off_get_the_same_run(server: Stage) -> None:
    outcomes: list[Outcome] = [outcome async for outcome in fuzz(server.url, seed=1, cuts=60)]
    assert [outcome.violations for outcome in outcomes] == [[]] * len(outcomes)
    assert sum(outcome.cuts.total() for outcome in outcomes) >= 60
    assert {outcome.scenario.protocol for outcome in outcomes} == {"native", "langgraph"}


async def test_many_readers_and_runs_at_once(server: Stage) -> None:
    paced = await paced_readers(server.measured, readers=40, runs=4, words=30, per_s=50)
    assert paced["errors"] == 0
    # Beside its tokens, a run tells of itself, its route, its status, its result and its end.
    assert paced["events"] > 40 * 30
    many = await many_runs(server, [QUESTION], runs=40)
    assert (many["complete"], many["database_is_locked"]) == (40, 0)


async def test_the_cost_of_a_run_is_split_by_thread(server: Stage) -> None:
    for cost in (await cost_of_runs(server, [QUESTION], runs=5)).values():
        assert cost["cpu_ms"] == pytest.approx(cost["event_loop_ms"] + cost["other_threads_ms"], abs=0.02)


async def test_a_server_comes_to_rest_after_clients_that_leave(server: Stage, tasks_file: Path) -> None:
    seen: list[Sample] = []
    found = await Soak(server, tasks_file, seed=1, clients=4).run(3, 6, 1, seen.append)
    assert found["broken"] == []
    assert len(found["samples"]) == len(seen) >= FEWEST
    assert set(found["slope_per_minute"]) == set(FIGURES)
    assert sum(found["actions"].values()) > 0
