"""`python -m tests.crash`: run the crash matrix, write results and page; fails if anything was lost or doubled."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from agent.settings import Settings
from tests.crash.report import results
from tests.crash.scenarios import Matrix
from tests.fakes.endpoint import fake_endpoint
from tests.reliability.page import write_page

_ROOT = Path(__file__).parents[2]


def main() -> int:
    """Run the matrix."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=main.__doc__)
    parser.add_argument("--scenarios", type=int, default=300, help="how many (300)")
    parser.add_argument("--seed", type=int, default=1, help="which (1)")
    parser.add_argument("--first", type=int, default=0, help="number of the first, to play one again (0)")
    parser.add_argument("--results", type=Path, default=_ROOT / "docs" / "results" / "crash.json", help="results file")
    parser.add_argument("--page", type=Path, default=_ROOT / "docs" / "reliability.md", help="page made from it")
    parser.add_argument("--only-page", action="store_true", help="make the page of the results that are there")
    chosen = parser.parse_args()
    if not chosen.only_page:
        chosen.results.write_text(json.dumps(_measure(chosen), indent=1) + "\n", encoding="utf-8")
    data = json.loads(chosen.results.read_text(encoding="utf-8"))
    write_page(chosen.results.parent, chosen.page)
    return 1 if data["lost"] + data["duplicated"] + data["broken_logs"] else 0


def _measure(chosen: argparse.Namespace) -> dict[str, object]:
    outcomes: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder, fake_endpoint() as endpoint:
        models = endpoint.models_file(Path(folder) / "models.yaml")
        settings = Settings(data_dir=Path(folder) / "data", samples="off", answer_cache="off", models=models)
        settings.data_dir.mkdir()
        for outcome in Matrix(settings, chosen.seed).run(chosen.first, chosen.scenarios):
            outcomes.append(outcome.as_json())
            wrong = "; ".join(outcome.findings.violations) or "well"
            print(f"{outcome.seed}: {outcome.plan} ready after {outcome.ready_s} s: {wrong}", file=sys.stderr)
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    return results({"seed": chosen.seed, "machine": machine}, outcomes)


if __name__ == "__main__":
    raise SystemExit(main())
