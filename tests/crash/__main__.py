"""`python -m tests.crash`: run the crash matrix, write results and page; fails if anything was lost or doubled.

With `--backend postgres` the server keeps everything in a PostgreSQL that is started for it; no page is made of that.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from pydantic import SecretStr

from agent.settings import Settings
from tests.crash.report import results
from tests.crash.scenarios import Matrix
from tests.fakes.endpoint import fake_endpoint
from tests.postgres import cluster
from tests.reliability.page import write_page
from tests.reliability.stage import machine

_ROOT = Path(__file__).parents[2]
_RESULTS = {"sqlite": "crash.json", "postgres": "crash-postgres.json"}


def main() -> int:
    """Run the matrix."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=main.__doc__)
    parser.add_argument("--scenarios", type=int, default=300, help="how many (300)")
    parser.add_argument("--seed", type=int, default=1, help="which (1)")
    parser.add_argument("--first", type=int, default=0, help="number of the first, to play one again (0)")
    parser.add_argument("--backend", choices=("sqlite", "postgres"), default="sqlite", help="where the server keeps it")
    parser.add_argument("--results", type=Path, help="results file (docs/results/crash.json, crash-postgres.json)")
    parser.add_argument("--page", type=Path, default=_ROOT / "docs" / "reliability.md", help="page made from it")
    parser.add_argument("--only-page", action="store_true", help="make the page of the results that are there")
    chosen = parser.parse_args()
    file = chosen.results or _ROOT / "docs" / "results" / _RESULTS[chosen.backend]
    if not chosen.only_page:
        file.write_text(json.dumps(_measure(chosen), indent=1) + "\n", encoding="utf-8")
    data = json.loads(file.read_text(encoding="utf-8"))
    write_page(file.parent, chosen.page)
    return 1 if sum(data[name] for name in ("lost", "duplicated", "broken_logs", "broken_chains")) else 0


def _measure(chosen: argparse.Namespace) -> dict[str, object]:
    outcomes: list[dict[str, object]] = []
    where = machine()
    postgres = chosen.backend == "postgres"
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        endpoint = stack.enter_context(fake_endpoint())
        models = endpoint.models_file(Path(folder) / "models.yaml")
        url = SecretStr(stack.enter_context(cluster()).create()) if postgres else None
        data = Path(folder) / "data"
        settings = Settings(data_dir=data, samples="off", answer_cache="off", models=models, database_url=url)
        settings.data_dir.mkdir()
        for outcome in Matrix(settings, chosen.seed).run(chosen.first, chosen.scenarios):
            outcomes.append(outcome.as_json())
            wrong = "; ".join(outcome.findings.violations) or "well"
            print(f"{outcome.seed}: {outcome.plan} ready after {outcome.ready_s} s: {wrong}", file=sys.stderr)
    about = {"seed": chosen.seed, "machine": where, **({"backend": chosen.backend} if postgres else {})}
    return results(about, outcomes)


if __name__ == "__main__":
    raise SystemExit(main())
