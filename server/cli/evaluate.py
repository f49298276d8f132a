"""`switchyard eval`: replay the golden queries, hold the result against its floors, compare, report."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from agent.services import sample_documents
from agent.settings import Settings
from eval.cases import GOLDEN, REPOSITORY, GoldenCase, load_cases
from eval.evaluation import Run, evaluate
from eval.gate import BASELINE, Baseline, check, compare, load_baseline
from eval.keyword_system import KeywordSystem
from eval.outcomes import Evaluation, load_evaluation
from eval.report import write_report
from eval.runner import CASE_TIMEOUT_S
from eval.tables import comparison_table, cost_table, failure_table, figure_table, verdict_table
from server.application import Application, open_application
from server.cli.evaluate_choice import schema_choice
from server.cli.evaluate_extraction import extraction
from server.cli.evaluate_fields import fields
from server.cli.evaluate_retrieval import retrieval
from server.cli.failures import fail, reported_failures
from server.cli.golden_system import GraphSystem, evaluation_settings, index_key

app = typer.Typer(help="Replay golden queries through the graph and judge the answers.", no_args_is_help=True)

RESULT = REPOSITORY / "docs" / "results" / "golden.json"
_PAGE = REPOSITORY / "docs" / "evaluation.md"
_CHART = REPOSITORY / "docs" / "images" / "golden-figures.png"
_stdout = Console(highlight=False)
_stderr = Console(stderr=True, highlight=False)

_Baseline = Annotated[Path, typer.Option("--baseline", help="File with the floors.")]
_Result = Annotated[Path, typer.Option("--result", help="File that `eval run --out` wrote.")]


@app.command()
def run(
    quick: Annotated[bool, typer.Option("--quick", help="Only the quick subset.")] = False,
    golden: Annotated[Path, typer.Option(help="Folder of golden cases (*.jsonl).")] = GOLDEN,
    out: Annotated[Path | None, typer.Option(help="Write the result as JSON.")] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Exit with 1 when a figure is below its floor.")] = False,
    baseline: _Baseline = BASELINE,
    timeout: Annotated[float, typer.Option(help="Seconds a case may take.")] = CASE_TIMEOUT_S,
) -> None:
    """Replay the golden cases through the graph and print the figures."""
    with reported_failures():
        limits = load_baseline(baseline)
        cases = load_cases(golden, quick=quick)
        _quiet_logs()
        with evaluation_settings(Settings()) as settings:
            evaluation = asyncio.run(evaluate_graph(settings, cases, quick=quick, timeout_s=timeout))
        if out:
            evaluation.save(out)
        _print(evaluation, limits)
        if gate:
            _enforce(evaluation, limits)


@app.command("gate")
def gate_command(result: _Result = RESULT, baseline: _Baseline = BASELINE) -> None:
    """Exit with 1 when a stored result is below a floor."""
    with reported_failures():
        _enforce(load_evaluation(result), load_baseline(baseline))


@app.command("compare")
def compare_command(before: Path, after: Path) -> None:
    """Show what changed between two results."""
    with reported_failures():
        comparison = compare(load_evaluation(before), load_evaluation(after))
    _stdout.print(comparison_table(comparison))
    _stdout.print(f"better: {', '.join(comparison.better) or 'none'}")
    _stdout.print(f"worse: {', '.join(comparison.worse) or 'none'}")
    if not comparison.same_cases:
        _stderr.print("The two were run on different golden cases.")


@app.command()
def report(
    result: _Result = RESULT,
    baseline: _Baseline = BASELINE,
    page: Annotated[Path, typer.Option(help="Markdown file to write.")] = _PAGE,
    chart: Annotated[Path, typer.Option(help="PNG file to write.")] = _CHART,
) -> None:
    """Write docs/evaluation.md and its picture from a stored result."""
    with reported_failures():
        absolute = result.resolve()
        source = absolute.relative_to(REPOSITORY) if absolute.is_relative_to(REPOSITORY) else result
        write_report(load_evaluation(result), load_baseline(baseline), source=source, page=page, chart=chart)
    _stderr.print(f"Wrote {page} and {chart}")


app.command("retrieval")(retrieval)
app.command("extraction")(extraction)
app.command("fields")(fields)
app.command("schema-choice")(schema_choice)


async def evaluate_graph(
    settings: Settings, cases: Sequence[GoldenCase], *, quick: bool, timeout_s: float = CASE_TIMEOUT_S
) -> Evaluation:
    """Run `cases` through the graph on the data directory of `settings`, and through the keyword baseline."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    async with open_application(settings) as application:
        with Progress(*columns, console=_stderr, transient=True) as progress:
            await _index(application, progress)
            simple = await asyncio.to_thread(KeywordSystem, sample_documents())
            task = progress.add_task("Golden cases", total=len(cases))
            return await evaluate(
                GraphSystem(application),
                simple,
                cases,
                Run("quick" if quick else "full", index_key(), timeout_s),
                on_outcome=lambda _: progress.advance(task),
            )


async def _index(application: Application, progress: Progress) -> None:
    task = progress.add_task("Indexing samples", total=None)
    await application.index_samples(lambda _, done, total: progress.update(task, completed=done, total=total))
    progress.remove_task(task)


def _print(evaluation: Evaluation, baseline: Baseline) -> None:
    for table in (
        figure_table(evaluation, baseline.of(evaluation.subset)),
        cost_table(evaluation),
        failure_table(evaluation),
    ):
        _stdout.print(table)


def _enforce(evaluation: Evaluation, baseline: Baseline) -> None:
    verdicts = check(evaluation, baseline)
    _stdout.print(verdict_table(verdicts))
    if failing := [verdict.key for verdict in verdicts if not verdict.passed]:
        fail(f"The evaluation does not keep to the limits: {', '.join(failing)}")


def _quiet_logs() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
