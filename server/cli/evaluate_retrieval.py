"""`switchyard eval retrieval`: search modes and chunking strategies, measured on questions with known places."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from agent.settings import Settings
from eval.cases import REPOSITORY
from eval.retrieval.corpora import Corpus, own, reading, samples
from eval.retrieval.measure import MEASURES
from eval.retrieval.page import draw, retrieval_page, short, table_rows
from eval.retrieval.study import STRATEGIES, Setup, study
from server.cli.failures import reported_failures
from tools.errors import InputError
from tools.knowledge.chunking import ChunkingStrategy

RESULT = REPOSITORY / "docs" / "results" / "retrieval.json"
_PAGE = REPOSITORY / "docs" / "retrieval.md"
_PICTURE = REPOSITORY / "docs" / "images" / "retrieval.png"
_stdout = Console(highlight=False)
_stderr = Console(stderr=True, highlight=False)


def retrieval(
    data: Annotated[
        Path | None, typer.Option(help="Folder with reading_squad2.jsonl or reading_policyqa.jsonl, measured too.")
    ] = None,
    documents: Annotated[Path | None, typer.Option(help="Folder of your own documents; needs --questions.")] = None,
    questions: Annotated[
        Path | None, typer.Option(help='JSONL lines {"question", "document_id": FILE NAME, "answers": [...]}.')
    ] = None,
    chunking: Annotated[ChunkingStrategy | None, typer.Option(help="Only this strategy.")] = None,
    sample: Annotated[int, typer.Option(min=1, help="At most this many questions of a corpus, always the same.")] = 500,
    out: Annotated[Path | None, typer.Option(help="Write the result as JSON.")] = None,
    docs: Annotated[bool, typer.Option("--docs", help="Write docs/retrieval.md, its picture and result.")] = False,
) -> None:
    """Measure how well passages are found: recall, MRR and nDCG of each search mode and chunking strategy.

    Example: switchyard eval retrieval --documents policies/ --questions questions.jsonl
    """
    with reported_failures():
        if (documents is None) != (questions is None):
            raise InputError("--documents and --questions belong together.", code="invalid_input")
        settings = Settings()
        if docs and settings.reranker:
            raise InputError("The page shows what is packaged: unset SWITCHYARD_RERANKER.", code="invalid_input")
        setup = Setup.load(settings.cache_folder, settings.reranker)
        rows: list[dict[str, Any]] = []
        with _progress() as progress:
            task = progress.add_task("", total=None)

            def show(what: str, done: int, total: int) -> None:
                progress.update(task, description=what, completed=done, total=total)

            for corpus in (corpus.sampled(sample) for corpus in _corpora(data, documents, questions)):
                rows += study(setup, corpus, (chunking,) if chunking else STRATEGIES, show)
                _stdout.print(_table(corpus, [row for row in rows if row["corpus"] == corpus.name]))
        if docs:
            out = out or RESULT
        if out:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")
        if docs:
            draw(rows, _PICTURE)
            page = retrieval_page(rows, source="docs/results/retrieval.json", picture="images/retrieval.png")
            _PAGE.write_text(page, encoding="utf-8")
            _stderr.print(f"Wrote {_PAGE} and {_PICTURE}")


def _corpora(data: Path | None, documents: Path | None, questions: Path | None) -> Iterator[Corpus]:
    if documents is not None and questions is not None:
        yield own(documents, questions)
        return
    yield samples()
    if data is not None:
        yield from reading(data)


def _progress() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=_stderr, transient=True)


def _table(corpus: Corpus, rows: list[dict[str, Any]]) -> Table:
    title = f"{corpus.name}: {len(corpus.documents)} documents, {len(corpus.questions)} questions"
    table = Table(title=title, box=SIMPLE_HEAD, pad_edge=False)
    for column in ("chunking", "chunks", "cut", "mode", *MEASURES):
        table.add_column(column)
    for cells in table_rows(rows, short):
        table.add_row(*cells)
    return table
