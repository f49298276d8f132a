"""What the page on reliability says of the crash matrix, made of its results file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tests.crash.points import POINTS

Json = dict[str, Any]
_ON_SQLITE = ("## Crash matrix", "", "SQLite")
_ON_POSTGRES = ("## Crash matrix on PostgreSQL", ' ARGS="--backend postgres"', "PostgreSQL")
_METHOD = """
A real `switchyard serve` with a fake model endpoint serves five clients at once: two of the native API, two of
LangGraph's protocol, and a second turn that waits for its thread. A signal strikes the process when it passes a chosen
point of a run's life for the first, second or third time; `SIGSTOP` is followed by `SIGKILL`, `SIGTERM` lets the server
end by itself. In a fifth of the scenarios the next process is killed as well, while it takes the runs over. Then a
server is started on the same data directory, every client sends its request again with the same `Idempotency-Key` and
reads the rest of its run. All of it is compared with what the client had been told before and with the rows on disk.

- **lost**: a request whose run is not there, or did not come to its result. A run that the server ended while it shut
  down in order, and whose client was told so, is counted apart.
- **duplicated**: a second run, a second line in the query log or in the audit log, a question or an answer twice in a
  thread's memory.
- **broken logs**: numbers with a gap, an event that is another one after the restart, not exactly one `end`.
"""


def results(settings: Json, outcomes: Sequence[Json]) -> Json:
    """The results file: totals, and every scenario."""
    found = [outcome["findings"] for outcome in outcomes]
    ready = sorted(outcome["ready_s"] for outcome in outcomes)
    return {
        **settings,
        "scenarios": len(outcomes),
        "deaths": sum(outcome["deaths"] for outcome in outcomes),
        "struck_at_the_point": sum(outcome["struck"] for outcome in outcomes),
        "runs": sum(one["runs"] for one in found),
        "acknowledged": sum(one["acknowledged"] for one in found),
        "taken_over": sum(one["taken_over"] for one in found),
        "ended_by_a_stop": sum(one["stopped"] for one in found),
        "lost": sum(len(one["lost"]) for one in found),
        "duplicated": sum(len(one["duplicated"]) for one in found),
        "broken_logs": sum(len(one["broken_logs"]) for one in found),
        "broken_chains": sum(len(one["broken_chains"]) for one in found),
        "ready_s": {"p50": ready[len(ready) // 2], "max": ready[-1]},
        "outcomes": list(outcomes),
    }


def section(data: Json) -> list[str]:
    """The part of the page on reliability, in lines."""
    figures = [
        ("scenarios", data["scenarios"], ""),
        ("deaths of a process", data["deaths"], ""),
        ("struck at the chosen point, the others at rest", data["struck_at_the_point"], ""),
        ("runs", data["runs"], ""),
        ("of these known to their client when the server died", data["acknowledged"], ""),
        ("of these taken over by a later process", data["taken_over"], ""),
        ("ended in order by a shutdown, and told so", data["ended_by_a_stop"], ""),
        ("runs lost", data["lost"], "0"),
        ("side effects duplicated", data["duplicated"], "0"),
        ("broken event logs", data["broken_logs"], "0"),
        ("checks in which the audit log was not one whole chain", data["broken_chains"], "0"),
        ("restart: seconds until ready, median", data["ready_s"]["p50"], ""),
        ("restart: seconds until ready, longest", data["ready_s"]["max"], "<= 3"),
    ]
    on_postgres = data.get("backend") == "postgres"
    title, options, backend = _ON_POSTGRES if on_postgres else _ON_SQLITE
    return [
        title,
        "",
        f"`make crash{options}`, {backend}, seed {data['seed']}, {data['machine']}.",
        "",
        *table(("what", "measured", "target"), figures),
        "",
        *([] if on_postgres else [_METHOD.strip(), ""]),
        *table(("point", "scenarios", "struck", "violations"), _groups(data["outcomes"], _point)),
        "",
        *table(("signal", "scenarios", "struck", "violations"), _groups(data["outcomes"], _signal)),
    ]


def _point(outcome: Json) -> str:
    return POINTS[outcome["plan"]["point"]].says


def _signal(outcome: Json) -> str:
    return outcome["plan"]["signal"] + (", and again during the recovery" if outcome["again"] else "")


def _groups(outcomes: Sequence[Json], name_of: Callable[[Json], str]) -> list[tuple[object, ...]]:
    groups: dict[str, list[Json]] = {}
    for outcome in outcomes:
        groups.setdefault(name_of(outcome), []).append(outcome)
    return [
        (name, len(group), sum(one["struck"] for one in group), _violations(group)) for name, group in groups.items()
    ]


def _violations(outcomes: Iterable[Json]) -> int:
    names = ("lost", "duplicated", "broken_logs", "broken_chains")
    return sum(len(outcome["findings"][name]) for outcome in outcomes for name in names)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A table in Markdown, in lines."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return [*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)]
