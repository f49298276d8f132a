"""`switchyard eval schema-choice`: the schema that chat chooses for a document, held against what the document is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from eval.cases import REPOSITORY
from eval.extraction.choice import Half, cases, measure
from eval.extraction.choice_page import choice_page
from server.cli.failures import reported_failures

_RESULT = REPOSITORY / "docs" / "results" / "schema-choice.json"
_BEFORE = REPOSITORY / "docs" / "results" / "schema-choice-before.json"
_PAGE = REPOSITORY / "docs" / "schema-choice.md"
_SEED = 20261
_stdout = Console(highlight=False)
_stderr = Console(stderr=True, highlight=False)


def schema_choice(
    documents: Annotated[int, typer.Option(min=5, help="Documents of our own to generate.")] = 500,
    half: Annotated[Half, typer.Option(help="Documents to develop on, or to report.")] = "report",
    seed: Annotated[int, typer.Option(help="Seed of the generator.")] = _SEED,
    receipts: Annotated[Path | None, typer.Option(help="JSONL file of labelled receipts, measured too.")] = None,
    articles: Annotated[
        list[Path] | None, typer.Option(help="JSONL file of reading passages: none of the kinds. May be repeated.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the result as JSON.")] = None,
    docs: Annotated[bool, typer.Option("--docs", help="Write docs/schema-choice.md and the result.")] = False,
) -> None:
    """Measure which built-in schema chat chooses for documents of every kind, and for some of none.

    Example:

    switchyard eval schema-choice --receipts ../shared/data/receipts_sroie.jsonl --articles
    ../shared/data/reading_squad2.jsonl --articles ../shared/data/reading_policyqa.jsonl --docs
    """
    with reported_failures():
        rows = measure(list(cases(half, documents, seed, receipts, articles or ())))
        for row in rows:
            shares = "  ".join(f"{name} {row[name]['value']:.3f}" for name in ("right", "asked", "wrong"))
            _stdout.print(f"{row['corpus']}, {row['way']}: {row['documents']} documents  {shares}")
            for kind, counts in row["table"].items():
                _stdout.print(f"    {kind}: {', '.join(f'{schema} {n}' for schema, n in counts.items())}")
        if docs:
            out = out or _RESULT
        if out:
            out.parent.mkdir(parents=True, exist_ok=True)
            result = {"seed": seed, "rows": rows}
            out.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        if docs:
            before = orjson.loads(_BEFORE.read_bytes())["rows"]
            page = choice_page(rows, before, source=_RESULT.relative_to(REPOSITORY).as_posix())
            _PAGE.write_text(page, encoding="utf-8")
            _stderr.print(f"Wrote {_PAGE}")
