"""The evaluation as a page: every number comes from a result file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from eval.charts import draw_figures
from eval.gate import Baseline, check
from eval.metrics import METRICS
from eval.outcomes import Evaluation
from eval.tables import (
    COST_COLUMNS,
    FIGURE_COLUMNS,
    FailureRow,
    cost_rows,
    failures_by_cause,
    figure_rows,
    instrument_rows,
)

_HEAD = """# Golden queries

Written by `switchyard eval report` from `{source}`; do not edit.

`switchyard eval run` (or `make eval`) replays the conversations in `eval/golden/` through the real graph with the \
real models, one after the other, and judges the last turn of each. Attached documents go into their own collection. \
Beside it, on the same cases: a baseline that routes by keywords and answers with the best BM25 sentence, where that \
makes sense. `--quick` takes the subset that CI runs, `switchyard eval gate` holds a result against \
`eval/baseline.json`, `switchyard eval compare A B` shows what changed.

{run}
"""
_RUN = (
    "This run: {n} cases ({subset} set) on {created}, {wall:.0f} s on {cpus} cores "
    "({cpu}; 5-minute load average at the end: {load}), Python {python}; "
    "cases `{golden}`, index `{index}`. Models and prompts: {versions}. "
    "{gate} {instrument} cases could not be judged."
)
_COST_NOTE = (
    "Milliseconds of the judged turn, from the message on disk to the whole result (`ttft`: to its first token); "
    "tokens in and out a turn; dollars in total.\n"
)
_INTERVAL_NOTE = (
    "Intervals are bootstrapped over cases and say nothing where all cases agree: a figure of 1.000 over n cases still "
    "admits a true rate of about 1 - 3/n."
)


def write_report(evaluation: Evaluation, baseline: Baseline, *, source: Path, page: Path, chart: Path) -> None:
    """Write the page and its picture.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    draw_figures(evaluation, baseline.of(evaluation.subset), chart)
    page.parent.mkdir(parents=True, exist_ok=True)
    link = Path(os.path.relpath(chart, page.parent)).as_posix()
    page.write_text(render(evaluation, baseline, source=source.as_posix(), chart=link), encoding="utf-8")


def render(evaluation: Evaluation, baseline: Baseline, *, source: str, chart: str) -> str:
    """The page as Markdown."""
    limits = baseline.of(evaluation.subset)
    sections = [
        _HEAD.format(source=source, run=_run(evaluation, baseline)),
        "## Figures\n",
        _table(FIGURE_COLUMNS, figure_rows(evaluation, limits)),
        f"{_INTERVAL_NOTE}\n\n![Every figure with its interval, its limit and the baseline]({chart})\n",
        "## Time and tokens\n",
        _COST_NOTE,
        _table(COST_COLUMNS, cost_rows(evaluation.costs)),
        "## What the figures mean\n",
        _table(("figure", "a case counts when"), [(m.title, m.meaning) for m in METRICS.values()]),
        "## Cases that fell short\n",
        *(_failures(cause, rows) for cause, rows in failures_by_cause(evaluation).items()),
    ]
    if unjudged := instrument_rows(evaluation):
        sections.append(_failures("instrument", unjudged))
    return "\n".join(sections)


def _run(evaluation: Evaluation, baseline: Baseline) -> str:
    failing = [verdict.key for verdict in check(evaluation, baseline) if not verdict.passed]
    versions = (f"{name} {', '.join(f'`{value}`' for value in values)}" for name, values in evaluation.versions.items())
    return _RUN.format(
        n=len(evaluation.outcomes),
        subset=evaluation.subset,
        created=evaluation.created_at[:10],
        wall=evaluation.wall_s,
        cpus=evaluation.machine["cpus"],
        cpu=evaluation.machine["cpu"],
        load=evaluation.machine.get("load_5min", "not recorded"),
        python=evaluation.machine["python"],
        golden=evaluation.golden_sha256[:12],
        index=evaluation.index_key,
        versions="; ".join(versions),
        gate=f"Below the gate: {', '.join(failing)}." if failing else "It passes the gate.",
        instrument=len(evaluation.instrument_failures),
    )


def _failures(cause: str, rows: Sequence[FailureRow]) -> str:
    table = _table(("case", "asked", "why"), [(row.case, row.asked, row.problem) for row in rows])
    return f"### {cause} ({len(rows)})\n\n{table}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")[:400]
