"""`python -m eval.knowledge_bench [PART...]`: measure, keep the figures of each part, write the page."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from eval.bench.measures import Figures
from eval.bench.report import machine
from eval.knowledge_bench.bulk import bulk_ingest
from eval.knowledge_bench.first_token import first_token_by_budget
from eval.knowledge_bench.folder import sync_folder
from eval.knowledge_bench.page import Parts, knowledge_page
from eval.knowledge_bench.rate import ingest_rate
from eval.knowledge_bench.search import search_latency

_ROOT = Path(__file__).parents[2]
_RESULT = _ROOT / "docs" / "results" / "knowledge-bench.json"
_PAGE = _ROOT / "docs" / "knowledge-benchmarks.md"
_CACHE = Path(".switchyard") / "bench" / "cache"
_progress = Console(stderr=True)

_PARTS: dict[str, Callable[[], Figures]] = {
    "rate": lambda: ingest_rate(_CACHE),
    "search": lambda: search_latency(_CACHE, 20_000),
    "search-large": lambda: search_latency(_CACHE, 100_000),
    "bulk": lambda: bulk_ingest(10_000, 40),
    "folder": lambda: sync_folder(50_000),
    "first-token": lambda: asyncio.run(first_token_by_budget()),
}


def main() -> None:
    """Measure the parts that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m eval.knowledge_bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(_PARTS)}; all by default")
    chosen: list[str] = parser.parse_args().parts or list(_PARTS)
    if unknown := set(chosen) - set(_PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    for part in chosen:
        _progress.print(part)
        _keep(part, _PARTS[part]())
    print(_PAGE.read_text("utf-8"))


def _keep(part: str, figures: Figures) -> None:
    parts: Parts = json.loads(_RESULT.read_text("utf-8")) if _RESULT.exists() else {}
    parts[part] = {"figures": figures, "machine": machine()}
    _RESULT.write_text(json.dumps(parts, indent=1) + "\n", "utf-8")
    _PAGE.write_text(knowledge_page(parts), "utf-8")


if __name__ == "__main__":
    main()
