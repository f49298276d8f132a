"""`switchyard eval fields`: fields of callers' own schemas, read by readers, the base model and an adapter."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent.models.catalog import Catalog, load_catalog
from agent.models.gateway import ModelGateway
from agent.settings import Settings
from eval.cases import REPOSITORY
from eval.extraction.free_fields.cases import FieldCase, field_cases, receipt_cases
from eval.extraction.free_fields.page import field_page
from eval.extraction.free_fields.study import field_systems, measure
from eval.extraction.generator import Side
from server.cli.failures import reported_failures
from tools.extraction.adapter import MANIFEST_NAME, FieldAdapterManifest

_RESULT = REPOSITORY / "docs" / "results" / "extraction-adapter.json"
_PAGE = REPOSITORY / "docs" / "extraction-adapter.md"
_SEED = 20261
_stdout = Console(highlight=False)
_stderr = Console(stderr=True, highlight=False)


def fields(
    adapter: Annotated[Path | None, typer.Option(help="Folder that `python -m finetune extract` wrote.")] = None,
    documents: Annotated[int, typer.Option(min=2, help="Documents of our own to generate, half of them notes.")] = 80,
    side: Annotated[Side, typer.Option(help="held_out reports, train is to develop and train on.")] = "held_out",
    receipts: Annotated[Path | None, typer.Option(help="JSONL file of labelled receipts, measured too.")] = None,
    receipt_count: Annotated[int, typer.Option("--receipt-count", min=1, help="How many of them.")] = 30,
    minutes: Annotated[float | None, typer.Option(help="Stop after so many minutes with the cases done.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the generator.")] = _SEED,
    out: Annotated[Path | None, typer.Option(help="Write the result as JSON.")] = None,
    docs: Annotated[bool, typer.Option("--docs", help="Write docs/extraction-adapter.md and the result.")] = False,
) -> None:
    """Measure fields of callers' own schemas: F1 and what was made up, with the base model and with an adapter.

    Example: switchyard eval fields --adapter out/extract --receipts ../shared/data/receipts_sroie.jsonl --docs
    """
    with reported_failures():
        cases = list(field_cases(side, documents, seed))
        if receipts:
            cases += receipt_cases(receipts, side, receipt_count, seed)
        result = asyncio.run(_measure(adapter, cases, minutes))
        for row in result["rows"]:
            _stdout.print(f"{row['corpus']}, {row['system']}: F1 {row['f1']['value']:.3f}, made up {row['made_up']} of "
                          f"{row['absent_fields']}, p50 {row['latency_ms']['p50']:.0f} ms")  # fmt: skip
        if docs:
            out = out or _RESULT
        if out:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        if docs:
            _PAGE.write_text(field_page(result, source=_RESULT.relative_to(REPOSITORY).as_posix()), encoding="utf-8")
            _stderr.print(f"Wrote {_PAGE}")


async def _measure(adapter: Path | None, cases: list[FieldCase], minutes: float | None) -> dict[str, Any]:
    """Each model has a gateway of its own; both serve the catalog's extract role, with the adapter and without."""
    catalog = load_catalog(Settings().models)
    base = ModelGateway(_with_adapter(catalog, None))
    tuned: ModelGateway | None = None
    try:
        tuned = None if adapter is None else ModelGateway(_with_adapter(catalog, adapter))
        systems = field_systems(base.chain("extract"), None if tuned is None else tuned.chain("extract"))
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns, console=_stderr, transient=True) as progress:
            task = progress.add_task("", total=None)
            rows = await measure(
                systems,
                cases,
                lambda what, done, total: progress.update(task, description=what, completed=done, total=total),
                minutes,
            )
    finally:
        base.close()
        if tuned is not None:
            tuned.close()
    return {"adapter": None if adapter is None else _described(adapter), "rows": rows}


def _with_adapter(catalog: Catalog, adapter: Path | None) -> Catalog:
    role = catalog.roles["extract"].model_copy(update={"adapter": None if adapter is None else str(adapter)})
    return catalog.model_copy(update={"roles": {**catalog.roles, "extract": role}})


def _described(adapter: Path) -> dict[str, Any]:
    manifest = FieldAdapterManifest.model_validate_json((adapter / MANIFEST_NAME).read_bytes())
    return manifest.model_dump(mode="json")
