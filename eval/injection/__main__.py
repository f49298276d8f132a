"""`python -m eval.injection`: ask over clean and attacked samples, keep the figures, write the page."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from itertools import cycle
from pathlib import Path

from rich.console import Console

from eval.injection.attacks import load_attacks
from eval.injection.report import PAGE, RESULT, Report, page, report
from eval.injection.study import Clean, Trial, ask_clean, attack_one, questions
from eval.injection.system import attacked_samples

_progress = Console(stderr=True, highlight=False)


def main() -> None:
    """Measure, print what changed, write the result and the page."""
    parser = argparse.ArgumentParser(prog="python -m eval.injection", description=__doc__)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="ask only every Nth question, write nothing")
    every: int = parser.parse_args().every
    with tempfile.TemporaryDirectory() as folder:
        measured = asyncio.run(_measure(Path(folder), every))
    print(json.dumps(measured, indent=1))
    if every == 1:
        RESULT.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page(measured), encoding="utf-8")


async def _measure(data_dir: Path, every: int) -> Report:
    clean: list[Clean] = []
    trials: list[Trial] = []
    async with attacked_samples(data_dir) as system:
        attacks = cycle(load_attacks())
        # Each is asked right before it is attacked: a store's statistics of words change a little with every exchange.
        for question in questions()[::every]:
            clean.append(await ask_clean(system, question))
            async for trial in attack_one(system, clean[-1], attacks):
                trials.append(trial)
                if not trial.unchanged:
                    told = f"{trial.family}, {trial.placement}: {trial.question}\n  {trial.answer}"
                    _progress.print(told, markup=False)
    return report(clean, trials)


if __name__ == "__main__":
    main()
