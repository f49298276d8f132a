"""`python -m tests.reliability COMMAND`: measure, write docs/results/NAME.json and the page.

Fails if a promise is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from eval.bench.chats import golden_questions
from eval.bench.measures import first_event
from tests.e2e.process import ROOT
from tests.reliability import contract, load
from tests.reliability.checks import PROMISES, check
from tests.reliability.fuzz import fuzz
from tests.reliability.inside import FILE_VARIABLE
from tests.reliability.page import RESULTS, write_page
from tests.reliability.soak import Sample, Soak
from tests.reliability.stage import machine, stage

Json = dict[str, Any]
_COLUMNS = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
_console = Console(stderr=True)


def main() -> int:
    """Run a command."""
    # The figures are those of the defaults, whatever the shell says.
    for name in [name for name in os.environ if name.startswith("SWITCHYARD_")]:
        del os.environ[name]
    # Ended from outside, it ends the processes that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    chosen = _parser().parse_args()
    broken: list[str] = []
    if chosen.command != "page":
        found = {"command": _said(chosen), "machine": machine(), **chosen.measure(chosen)}
        chosen.results.mkdir(parents=True, exist_ok=True)
        file = chosen.results / f"{chosen.command}.json"
        file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        broken = found["broken"]
        _console.print(f"{file}: {'broken: ' + '; '.join(broken[:5]) if broken else 'well'}")
    write_page(chosen.results, chosen.page)
    return 1 if broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="fuzz|load|soak|contract|checks|page")
    fuzzing = commands.add_parser("fuzz", help="cut readers off and let them come back", description=_fuzz.__doc__)
    fuzzing.add_argument("--cuts", type=int, default=500, help="connections to cut (500)")
    fuzzing.set_defaults(measure=_fuzz)
    loading = commands.add_parser("load", help="many readers, many runs, their cost", description=_load.__doc__)
    loading.add_argument("--readers", type=int, default=500, help="readers of paced runs (500)")
    loading.add_argument("--reader-runs", type=int, default=20, help="runs that they follow (20)")
    loading.add_argument("--runs", type=int, default=200, help="runs that begin at once (200)")
    loading.set_defaults(measure=_load)
    soaking = commands.add_parser("soak", help="come, leave and cancel for minutes", description=_soak.__doc__)
    soaking.add_argument("--minutes", type=float, default=5.0, help="how long, after the warm-up (5)")
    soaking.add_argument("--warm-up", type=float, default=3.0, help="minutes of the same load before (3)")
    soaking.add_argument("--clients", type=int, default=6, help="at the same time (6)")
    soaking.set_defaults(measure=_soak)
    calling = commands.add_parser("contract", help="all operations, made-up input", description=_contract.__doc__)
    calling.add_argument("--phases", default=",".join(contract.PHASES), help="examples,coverage,fuzzing,stateful")
    calling.add_argument("--examples", type=int, default=100, help="cases an operation in the last two phases (100)")
    calling.set_defaults(measure=_contract)
    checking = commands.add_parser("checks", help="the tests of what has no figure", description=_checks.__doc__)
    checking.set_defaults(measure=_checks)
    pages = commands.add_parser("page", help="make the page of the results that are there")
    for command in (fuzzing, soaking, calling):
        command.add_argument("--seed", type=int, default=1, help="of everything that is chosen (1)")
    for command in (fuzzing, loading, soaking, calling, checking, pages):
        command.add_argument("--results", type=Path, default=RESULTS, help="folder of the results")
        command.add_argument("--page", type=Path, default=ROOT / "docs" / "reliability.md", help="page made of them")
    return parser


def _said(chosen: argparse.Namespace) -> str:
    """The command line that measures this again."""
    left_out = ("command", "measure", "results", "page")
    options = {name: value for name, value in vars(chosen).items() if name not in left_out}
    named = [f"--{name.replace('_', '-')} {value}" for name, value in options.items()]
    return " ".join(["python -m tests.reliability", chosen.command, *named])


def _fuzz(chosen: argparse.Namespace) -> Json:
    """Cut connections off anywhere, let the readers come back, and compare what each of them got."""
    return asyncio.run(_fuzzed(chosen.seed, chosen.cuts))


async def _fuzzed(seed: int, cuts: int) -> Json:
    made, runs, events, broken = Counter[str](), Counter[str](), 0, list[str]()
    with (
        tempfile.TemporaryDirectory() as folder,
        stage(Path(folder)) as server,
        Progress(*_COLUMNS, console=_console) as progress,
    ):
        task = progress.add_task("cuts", total=cuts)
        async for outcome in fuzz(server.url, seed=seed, cuts=cuts):
            made += outcome.cuts
            runs[outcome.scenario.protocol] += 1
            runs["cancelled"] += outcome.scenario.cancel_after_s is not None
            events += outcome.events
            broken += outcome.violations
            progress.update(task, completed=min(made.total(), cuts))
    return {"cuts": made.total(), "cuts_by_reader": made, "runs": runs, "events": events, "broken": broken}


def _checks(_: argparse.Namespace) -> Json:
    """Run the tests of concurrency, disconnects, owners, attacks and clients, and count their cases."""
    with Progress(*_COLUMNS, console=_console) as progress:
        kept = [check(promise) for promise in progress.track(PROMISES, description="checks")]
    broken = [f"{one.says}: {one.failed} of {one.cases}" for one in kept if one.failed or not one.cases]
    return {"checks": [asdict(one) for one in kept], "broken": broken}


def _load(chosen: argparse.Namespace) -> Json:
    """Measure the first event, many readers, many runs at once, and what a run costs. Nothing else should run."""
    return asyncio.run(_loaded(chosen))


async def _loaded(chosen: argparse.Namespace) -> Json:
    found: Json = {"max_concurrent_runs": max(16, chosen.reader_runs)}
    with tempfile.TemporaryDirectory() as folder, Progress(*_COLUMNS, console=_console) as progress:
        task = progress.add_task("indexing the samples", total=5)
        with stage(Path(folder), samples="on", **found) as server:
            questions = await load.answered(server.url, golden_questions(24))
            found["questions"] = len(questions)
            progress.update(task, description="first event", completed=1)
            found["first_event"] = await first_event(server.measured, questions)
            progress.update(task, description="cost of a run", completed=2)
            found["cost"] = await load.cost_of_runs(server, questions, runs=200)
            progress.update(task, description="many runs", completed=3)
            found["many_runs"] = await load.many_runs(server, questions, runs=chosen.runs)
            progress.update(task, description="paced readers", completed=4)
            shape: Json = {"readers": chosen.readers, "runs": chosen.reader_runs, "words": 400, "per_s": 20}
            found["paced_readers"] = await load.paced_readers(server.measured, **shape)
            progress.update(task, completed=5)
    return {**found, "broken": load.broken(found)}


def _soak(chosen: argparse.Namespace) -> Json:
    """Let clients come, leave and cancel for minutes, and watch memory, files, tasks and write-ahead logs."""
    return asyncio.run(_soaked(chosen))


async def _soaked(chosen: argparse.Namespace) -> Json:
    with tempfile.TemporaryDirectory() as name, Progress(*_COLUMNS, console=_console) as progress:
        folder = Path(name)
        os.environ[FILE_VARIABLE] = str(folder / "tasks.json")
        seconds = round(60 * chosen.minutes)
        task = progress.add_task("warm-up", total=seconds)
        with stage(folder, start=("-m", "tests.reliability.inside")) as server:
            soak = Soak(server, folder / "tasks.json", chosen.seed, chosen.clients)
            begun = time.monotonic() + 60 * chosen.warm_up

            def seen(sample: Sample) -> None:
                said = f"{sample.rss_mb} MB, {sample.file_descriptors} files, {sample.asyncio_tasks} tasks"
                progress.update(task, description=said, completed=min(seconds, int(time.monotonic() - begun)))

            return await soak.run(60 * chosen.warm_up, seconds, max(0.5, seconds / 100), seen)


def _contract(chosen: argparse.Namespace) -> Json:
    """Call all operations of the API's description with input that fits it and input that does not."""
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder), **contract.FIELDS) as server:
        return contract.call_all(
            server, Path(folder), phases=chosen.phases.split(","), seed=chosen.seed, examples=chosen.examples, show=True
        )


if __name__ == "__main__":
    raise SystemExit(main())
