"""The commands of `python -m finetune`. A command's modules are imported when it runs: help comes at once."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

# Before anything imports tokenizers.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import typer

from finetune.console import Data, cache_folder, data_folder, figures, reported_failures
from finetune.tuning_commands import ablate, extract, reader, sweep
from tools.fraud.adapters import AdapterState

if TYPE_CHECKING:
    from finetune.training.run import Outcome

Base = Annotated[
    str | None, typer.Option("--base", help="A .gguf file or a Hugging Face folder; default: what it was trained on.")
]

app = typer.Typer(
    help="Learn a company's own fraud signals into a small adapter, and prove what it is worth.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _group() -> None:
    """Keep commands as subcommands."""


@app.command()
def prepare(
    out: Annotated[Path, typer.Option(help="Folder for the splits, chats, plots, report.json and card.md.")] = Path(
        "out/finetune/fraud"
    ),
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Your own rows (.csv, .jsonl); without it, the fraud set is simulated."),
    ] = None,
    label_column: Annotated[str | None, typer.Option(help="Column with the label.")] = None,
    text_column: Annotated[str | None, typer.Option(help="Column with the text.")] = None,
    group_column: Annotated[
        str | None, typer.Option(help="Column that no two splits share, e.g. the customer.")
    ] = None,
    rows: Annotated[int, typer.Option(help="Rows to simulate.")] = 6000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 20260,
    policy: Annotated[
        Path | None, typer.Option(help="Folder with blacklist.csv and transaction_codes.csv; the samples' by default.")
    ] = None,
    skip_invalid: Annotated[bool, typer.Option(help="Leave unusable rows out and report them.")] = False,
    docs: Annotated[Path | None, typer.Option(help="Also write the card into this documentation folder.")] = None,
) -> None:
    """Make training, validation and test rows, checked and without customers in common."""
    with reported_failures():
        from finetune.data.imports import Columns
        from finetune.data.prepare import Preparation, prepare, summarise
        from finetune.data.publish import publish

        columns = Columns(label=label_column, text=text_column, group=group_column)
        wanted = Preparation(out, data, columns, rows, seed, policy, skip_invalid)
        typer.echo(summarise(prepare(wanted), out))
        if docs is not None:
            typer.echo(f"card: {publish(out, docs)}")


@app.command()
def train(
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="Folder of the adapter; an interrupted run is resumed from it.")],
    task: Annotated[
        str, typer.Option("--task", help="The adapter's role; `fraud` is the one that the graph serves.")
    ] = ("fraud"),
    val: Annotated[Path | None, typer.Option("--val", help="Validation rows; default: a part of --data.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="A YAML recipe, or default, quick, qlora.")] = None,
    base: Annotated[str | None, typer.Option("--base", help="A .gguf file or a Hugging Face folder.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Overrides the recipe.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Overrides the recipe.")] = None,
    rank: Annotated[int | None, typer.Option(help="Overrides the recipe.")] = None,
    first_layer: Annotated[int | None, typer.Option(help="Overrides the recipe.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Overrides the recipe.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads; default: all cores.")] = None,
    seed: Annotated[int | None, typer.Option(help="Overrides the recipe.")] = None,
    max_steps: Annotated[int | None, typer.Option("--max-steps", help="Stop after this many steps.")] = None,
    positive: Annotated[
        str | None, typer.Option(help="The label to find; default: 1, fraud, yes, ... or the rarer.")
    ] = (None),
    cost_missed: Annotated[float, typer.Option(help="Cost of a missed positive, in units of a false alarm.")] = 2.0,
    deployed_rate: Annotated[float | None, typer.Option(help="Share of positives expected in use.")] = None,
) -> None:
    """Train an adapter; calibrate it on rows of its own."""
    with reported_failures():
        from finetune.base import open_base
        from finetune.calibrate import Costs
        from finetune.recipe import load_recipe
        from finetune.rows import read_rows
        from finetune.training.prepare import Job
        from finetune.training.run import train as run

        recipe = load_recipe(
            config,
            epochs=epochs,
            learning_rate=learning_rate,
            rank=rank,
            first_layer=first_layer,
            batch_size=batch_size,
            threads=threads,
            seed=seed,
        )
        job = Job(
            task=task,
            rows=read_rows(data),
            validation=None if val is None else read_rows(val),
            base=open_base(base, cache_folder()),
            recipe=recipe,
            out=out,
            positive=positive,
            costs=Costs(missed=cost_missed),
            deployed_rate=deployed_rate,
            max_steps=max_steps,
            tracking=data_folder() / "mlruns",
        )
        outcome = run(job)
    _tell_trained(outcome, deployed_rate)


def _tell_trained(outcome: Outcome, deployed_rate: float | None) -> None:
    typer.echo(f"Adapter in {outcome.folder} after {outcome.report['seconds']:.0f} s. On its calibration rows:")
    typer.echo(figures(outcome.task.metrics))
    if (cost := outcome.report["threshold_cost"]) and cost["warning"]:
        typer.echo(cost["warning"], err=True)
    if deployed_rate is not None and not outcome.task.calibration.calibrated:
        typer.echo("The calibration could not be fitted (too few rows), so --deployed-rate is not applied.", err=True)


@app.command()
def evaluate(
    adapter: Annotated[Path, typer.Option("--adapter", help="Folder that `train` wrote.")],
    data: Data,
    out: Annotated[Path, typer.Option("--out", help="The report (JSON); plots go beside it.")] = Path("report.json"),
    train_data: Annotated[
        Path | None, typer.Option("--train-data", help="Rows for baselines that learn; default: cross-validation.")
    ] = None,
    base: Base = None,
    with_base: Annotated[bool, typer.Option(help="Also score with the base model alone.")] = True,
    deployed_rate: Annotated[float | None, typer.Option(help="Share of positives expected in use.")] = None,
    threshold: Annotated[float | None, typer.Option(help="Decide at this probability.")] = None,
) -> None:
    """Measure an adapter on rows that it has not seen, beside simple methods on the same rows."""
    with reported_failures():
        from finetune.base import open_base_of
        from finetune.evaluation.report import Request
        from finetune.evaluation.report import evaluate as run
        from finetune.rows import read_rows

        rows = read_rows(data)
        train_rows = None if train_data is None else read_rows(train_data)
        request = Request(
            adapter, rows, open_base_of(adapter, base, cache_folder()), train_rows, with_base, deployed_rate, threshold
        )
        report = run(request, out)
    typer.echo(f"{report['n']} rows, report in {out}")
    for name, metrics in {"adapter": report, **report["baselines"]}.items():
        shown = {key: metrics[key] for key in ("accuracy", "precision", "recall", "mcc", "roc_auc", "pr_auc", "ece")}
        typer.echo(f"{name:18} {figures(shown)}")


@app.command()
def score(
    adapter: Annotated[Path, typer.Option("--adapter", help="Folder that `train` wrote.")],
    data: Annotated[Path, typer.Option("--data", help="Rows: .jsonl or .csv with text; labels are not needed.")],
    out: Annotated[Path, typer.Option("--out", help="The scores (JSONL), a line for each row.")] = Path("scores.jsonl"),
    base: Base = None,
) -> None:
    """Score many rows at once, with no server: label and calibrated probability of each."""
    with reported_failures():
        from finetune.base import open_base_of
        from finetune.scored_file import score_file

        done = score_file(adapter, data, open_base_of(adapter, base, cache_folder()), out)
    speed = f"{done.rows / done.seconds:.1f} a second in {done.precision}"
    typer.echo(f"{done.rows} rows in {done.seconds:.0f} s ({speed}): {out}")


@app.command()
def compare(
    reports: Annotated[
        list[Path],
        typer.Argument(help="Reports of `evaluate`; several must be over the same rows, the first is the bar."),
    ],
    out: Annotated[Path | None, typer.Option("--out", help="Also write the comparison as JSON.")] = None,
) -> None:
    """Test whether adapters differ from each other and from their baselines: McNemar on decisions, paired bootstrap."""
    with reported_failures():
        from finetune.evaluation.compare import compare as run

        compared = run(reports)
    if out is not None:
        out.write_text(json.dumps(compared, indent=1) + "\n", encoding="utf-8")
    for entry in compared:
        how = "" if entry["paired"] else ", intervals not paired"
        typer.echo(f"{entry['report']} against {entry['against']}: McNemar p = {entry['mcnemar_p']:.4f}{how}")
        for name, found in entry["differences"].items():
            low, high = found["interval"]
            typer.echo(f"  {name:16} {found['difference']:+.4f}  [{low:+.4f}, {high:+.4f}]")


@app.command()
def export(
    adapter: Annotated[Path, typer.Option("--adapter", help="Folder that `train` wrote.")],
    data: Annotated[Path, typer.Option("--data", help="Rows that transformers and llama.cpp are compared on.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write; default: <adapter>/export.")] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="What `evaluate` wrote, for manifest and card.")
    ] = None,
    base: Base = None,
    threads: Annotated[int, typer.Option(help="CPU threads of llama.cpp.")] = 1,
    merged: Annotated[bool, typer.Option("--merged", help="Also one GGUF of base and adapter together.")] = False,
) -> None:
    """Write safetensors, GGUF, manifest and card, if llama.cpp answers as transformers does."""
    with reported_failures():
        from finetune.base import open_base_of
        from finetune.export.package import export as run
        from finetune.gate import read_report
        from finetune.rows import read_rows

        measured = None if report is None else read_report(report)
        exported = run(
            adapter,
            open_base_of(adapter, base, cache_folder()),
            read_rows(data),
            out or adapter / "export",
            measured,
            threads,
            merged=merged,
        )
    typer.echo(f"{exported.manifest.name} in {exported.folder}. llama.cpp against transformers:")
    for served, parity in exported.parity.items():
        typer.echo(
            f"  {served:8} {parity.rows} rows, {parity.label_agreement:.1%} of the labels agree, probabilities differ "
            f"by {parity.median_difference:.4f} in the median"
        )
    if any(parity.few for parity in exported.parity.values()):
        typer.echo("  That is few rows to prove it on: give --data 200 or more.")


@app.command()
def promote(
    name: Annotated[str | None, typer.Argument(help="A registered adapter, or the folder of an exported one.")] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="What `evaluate` wrote; default: the report in the folder.")
    ] = None,
    to: Annotated[AdapterState, typer.Option("--to", help="candidate, production or archived.")] = "production",
    rollback: Annotated[str | None, typer.Option("--rollback", help="A task: serve the adapter before again.")] = None,
    own_rows: Annotated[
        bool, typer.Option("--own-rows", help="Replace the packaged adapter though it was measured on other rows.")
    ] = False,
) -> None:
    """Register an adapter and move it between candidate, production and archived; without arguments, list them."""
    with reported_failures():
        from finetune.registry import Registry

        registry = Registry(data_folder() / "registry")
        if rollback is not None:
            changed, task = "", rollback
            registry.rollback(rollback)
        elif name is None:
            for entry in registry.entries():
                typer.echo(f"{entry.name:24} {entry.task:12} {entry.state:11} {entry.since}")
            return
        else:
            moved = registry.move(name, to, report, own_rows=own_rows)
            changed, task = f"{moved.name} is {moved.state}. ", moved.task
        serving = registry.serving(task) or "the bare base"
    typer.echo(f"{changed}For {task} {serving} serves; a running server takes it up by itself.")


@app.command()
def report(
    reports: Annotated[list[Path], typer.Argument(help="Reports of `evaluate`.")],
    out: Annotated[Path, typer.Option("--out", help="The Markdown page to write.")] = Path("docs/finetune-results.md"),
) -> None:
    """Write a page from reports: metrics with intervals, who wins against which baseline, slices, plots."""
    with reported_failures():
        from finetune.evaluation.page import publish

        publish(reports, out)
    typer.echo(f"Wrote {out}")


@app.command()
def cost(
    prices: Annotated[Path | None, typer.Option(help="Your prices (YAML); a commented set by default.")] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Rows to count tokens on; the samples' transactions by default.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for cost.md and cost.json.")] = Path("out/finetune/cost"),
    report: Annotated[
        Path | None, typer.Option(help="A report of evaluate: what better decisions are worth is computed from it.")
    ] = None,
    requests_per_day: Annotated[float | None, typer.Option(min=0.001, help="Instead of the price file's.")] = None,
    retrainings_per_year: Annotated[float | None, typer.Option(min=0, help="Instead of the price file's.")] = None,
    rule_changes_per_year: Annotated[float | None, typer.Option(min=0, help="Instead of the price file's.")] = None,
    policy: Annotated[Path | None, typer.Option(help="Folder with the company's lists.")] = None,
    docs: Annotated[Path | None, typer.Option(help="Also write the page into this documentation folder.")] = None,
) -> None:
    """Answer "tune, prompt or rules?" for your volume and prices, on one page."""
    with reported_failures():
        from finetune.cost.command import CostQuestion, answer, publish_answer, write_answer
        from finetune.cost.page import write_page
        from finetune.cost.prices import DEFAULT_PRICES

        found = answer(
            CostQuestion(
                prices or DEFAULT_PRICES,
                data,
                policy,
                report,
                requests_per_day,
                retrainings_per_year,
                rule_changes_per_year,
            )
        )
        write_answer(found, out)
        if docs is not None:
            publish_answer(found, docs)
        typer.echo(write_page(found))


app.command()(sweep)
app.command()(ablate)
app.command()(reader)
app.command()(extract)


@app.command()
def forgetting(
    adapter: Annotated[Path, typer.Option("--adapter", help="Folder that `train` or `export` wrote.")],
    out: Annotated[Path, typer.Option("--out", help="The report (JSON); the page (.md) goes beside it.")] = Path(
        "out/finetune/forgetting.json"
    ),
    base: Base = None,
    per_kind: Annotated[int, typer.Option(min=1, help="Pairs of each of the five kinds.")] = 120,
    text: Annotated[list[Path] | None, typer.Option(help="A text file of yours, for its perplexity too.")] = None,
    limit: Annotated[float, typer.Option(min=0, help="Mean loss that is accepted, in percentage points.")] = 2.0,
    seed: Annotated[int, typer.Option(help="The same seed draws the same pairs.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default: all cores.")] = None,
    docs: Annotated[Path | None, typer.Option(help="Also write the page into this documentation folder.")] = None,
) -> None:
    """Measure what an adapter costs in general knowledge, language, reasoning and fraud: on, off and before."""
    with reported_failures():
        from finetune.base import open_base_of
        from finetune.forgetting.command import Question, measure_forgetting
        from finetune.forgetting.page import publish, write_page

        question = Question(
            adapter, open_base_of(adapter, base, cache_folder()), per_kind, seed, text or [], limit, threads
        )
        measured = measure_forgetting(question, out)
        if docs is not None:
            publish(measured, docs)
        typer.echo(write_page(measured))


def main() -> None:
    """Run the command line."""
    app()
