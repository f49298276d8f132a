"""A whole evaluation: a system and the keyword baseline on the same cases, with their figures."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from eval.cases import GoldenCase, digest
from eval.keyword_system import BASELINE_METRICS
from eval.measures import costs, measure
from eval.outcomes import Evaluation, Outcome, Subset
from eval.runner import CASE_TIMEOUT_S, System, run_cases

# A schema says what was read, not what read it.
_NOT_A_VERSION = "schema"


@dataclass(frozen=True)
class Run:
    """How an evaluation is run: which subset, over which index, with how much time a case."""

    subset: Subset
    index_key: str
    timeout_s: float = CASE_TIMEOUT_S


async def evaluate(
    system: System,
    simple: System,
    cases: Sequence[GoldenCase],
    run: Run,
    *,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
) -> Evaluation:
    """Put `cases` to `system` and to the baseline `simple`; `on_outcome` is told of each case of `system`."""
    started = time.perf_counter()
    outcomes = await run_cases(system, cases, timeout_s=run.timeout_s, on_outcome=on_outcome)
    wall_s = round(time.perf_counter() - started, 1)
    baseline = await run_cases(simple, cases, timeout_s=run.timeout_s)
    return Evaluation(
        subset=run.subset,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        golden_sha256=digest(cases),
        index_key=run.index_key,
        machine=_machine(),
        versions=_versions(outcomes),
        wall_s=wall_s,
        measures=measure(outcomes),
        costs=costs(outcomes),
        baseline=[figure for figure in measure(baseline) if figure.metric in BASELINE_METRICS],
        outcomes=outcomes,
    )


def _machine() -> dict[str, str]:
    # Latencies mean little without what else the machine had to do.
    load = f"{os.getloadavg()[1]:.1f}"
    return {
        "cpu": platform.machine(),
        "cpus": str(os.cpu_count()),
        "load_5min": load,
        "python": platform.python_version(),
    }


def _versions(outcomes: Sequence[Outcome]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for outcome in outcomes:
        for name, value in (outcome.answered.versions if outcome.answered else {}).items():
            if name != _NOT_A_VERSION:
                found.setdefault(name, set()).add(value)
    return {name: sorted(values) for name, values in sorted(found.items())}
