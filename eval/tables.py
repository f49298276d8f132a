"""The figures of an evaluation as rows of text, and those rows as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from eval.gate import Comparison, Limits, Verdict
from eval.measures import ALL, ROUTES
from eval.metrics import METRICS
from eval.outcomes import Cost, Evaluation

FIGURE_COLUMNS = ("cases", "figure", "value", "95% interval", "n", "limit", "baseline")
COST_COLUMNS = ("cases", "n", "p50 ms", "p95 ms", "ttft p50", "ttft p95", "in", "out", "cost $")
_NONE = "-"


@dataclass(frozen=True)
class FailureRow:
    """A case that fell short, as text."""

    case: str
    asked: str
    problem: str


def figure_rows(evaluation: Evaluation, limits: Limits) -> list[Sequence[str]]:
    """One row a figure, by kind of case, with its limit and the baseline's value (see `FIGURE_COLUMNS`)."""
    simple = {measure.key: measure.value for measure in evaluation.baseline}
    rows: list[Sequence[str]] = []
    for route in (ALL, *ROUTES):
        for measure in (measure for measure in evaluation.measures if measure.route == route):
            metric = METRICS[measure.metric]
            interval = f"{measure.low:.2f} to {measure.high:.2f}"
            limit = _limit(measure.key, limits)
            baseline = _number(simple.get(measure.key))
            rows.append((route, metric.title, f"{measure.value:.3f}", interval, str(measure.n), limit, baseline))
    return rows


def cost_rows(costs: Sequence[Cost]) -> list[Sequence[str]]:
    """One row a kind of case (see `COST_COLUMNS`)."""
    return [
        (
            cost.route,
            str(cost.n),
            *(_whole(value) for value in (cost.p50_ms, cost.p95_ms, cost.ttft_p50_ms, cost.ttft_p95_ms)),
            f"{cost.prompt_tokens:.0f}",
            f"{cost.completion_tokens:.0f}",
            f"{cost.cost_usd:.4f}",
        )
        for cost in costs
    ]


def failures_by_cause(evaluation: Evaluation) -> dict[str, list[FailureRow]]:
    """The cases that fell short, by cause, the most frequent cause first; instrument failures are not among them."""
    groups: dict[str, list[FailureRow]] = {}
    for outcome in evaluation.failures:
        row = FailureRow(outcome.id, " / ".join(outcome.turns), "; ".join(outcome.notes))
        groups.setdefault(str(outcome.cause), []).append(row)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def instrument_rows(evaluation: Evaluation) -> list[FailureRow]:
    """The cases that could not be judged."""
    return [
        FailureRow(outcome.id, " / ".join(outcome.turns), f"{failure.code}: {failure.message}")
        for outcome in evaluation.outcomes
        if (failure := outcome.instrument_failure)
    ]


def figure_table(evaluation: Evaluation, limits: Limits) -> Table:
    """Figures by kind of case."""
    table = _table("Golden queries", FIGURE_COLUMNS, right=("value", "n", "limit", "baseline"))
    previous = None
    for row in figure_rows(evaluation, limits):
        if previous not in (None, row[0]):
            table.add_section()
        table.add_row(row[0] if row[0] != previous else "", *row[1:])
        previous = row[0]
    return table


def cost_table(evaluation: Evaluation) -> Table:
    """Time, tokens and money by kind of case."""
    table = _table("Judged turns", COST_COLUMNS, right=COST_COLUMNS[1:])
    for row in cost_rows(evaluation.costs):
        table.add_row(*row)
    return table


def failure_table(evaluation: Evaluation) -> Table:
    """Every case that fell short or could not be judged, with the cause."""
    table = _table("Cases that fell short", ("cause", "case", "why"))
    for cause, rows in [*failures_by_cause(evaluation).items(), ("instrument", instrument_rows(evaluation))]:
        for row in rows:
            table.add_row(cause, row.case, _cut(row.problem))
    return table


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """Limits and whether they are kept to."""
    table = _table("Gate", ("figure", "limit", "value", ""), right=("limit", "value"))
    for verdict in verdicts:
        sign = "<=" if verdict.is_ceiling else ">="
        value = "not measured" if verdict.value is None else f"{verdict.value:.3f}"
        table.add_row(verdict.key, f"{sign} {verdict.limit:g}", value, "ok" if verdict.passed else "[bold red]fails[/]")
    return table


def comparison_table(comparison: Comparison) -> Table:
    """Figures of two evaluations with their difference."""
    table = _table("Comparison", ("figure", "before", "after", "change"), right=("before", "after", "change"))
    for change in comparison.changes:
        difference = _NONE if change.difference is None else f"{change.difference:+.3f}"
        table.add_row(change.key, _number(change.before), _number(change.after), difference)
    return table


def _table(title: str, columns: Sequence[str], right: Sequence[str] = ()) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(
            column, justify="right" if column in right else "left", overflow="fold", no_wrap=column == "cases"
        )
    return table


def _limit(key: str, limits: Limits) -> str:
    if (floor := limits.floors.get(key)) is not None:
        return f">= {floor:g}"
    ceiling = limits.ceilings.get(key)
    return _NONE if ceiling is None else f"<= {ceiling:g}"


def _number(value: float | None) -> str:
    return _NONE if value is None else f"{value:.3f}"


def _whole(value: float | None) -> str:
    return _NONE if value is None else f"{value:.0f}"


def _cut(text: str, limit: int = 160) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
