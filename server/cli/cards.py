"""Extractions, fraud scores and passages as tables and cards of 80 columns."""

from __future__ import annotations

from typing import Any

from rich.box import ROUNDED, SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from agent.results import Evidence, ExtractedField, ExtractionResult, FraudResult

_WHY_NULL = {"not_found": "not in the text"}
_QUOTE_CHARS = 120
_FIELD_CHARS = 26


def extraction_table(extraction: ExtractionResult) -> RenderableType:
    """A row a field: its value, the words of the document that it stands on, how sure it is."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    title = extraction.schema_name.replace("_", " ")
    widest = max(len(name) for name in (title, *extraction.fields))
    table.add_column(title, style="bold", width=min(widest, _FIELD_CHARS), overflow="fold")
    table.add_column("Value", overflow="fold")
    table.add_column("Evidence", overflow="fold")
    table.add_column("Place", style="dim", no_wrap=True)
    table.add_column("Sure", justify="right", no_wrap=True)
    for path, field in extraction.fields.items():
        table.add_row(path, _value(field), _quote(field.evidence), _place(field.evidence), _sure(field))
    warnings = [Text(f"! {warning}", style="yellow") for warning in extraction.warnings]
    return Group(table, *warnings)


def fraud_card(score: FraudResult, *, reasoning: bool = True) -> Panel:
    """Label and gauge, the computed red flags, and which model judged."""
    color = "red" if score.label == "FRAUD" else "yellow" if score.needs_review else "green"
    title = Text.assemble((score.label, f"bold {color}"), f" risk {score.risk_score} of 100")
    gauge = Table.grid(padding=(0, 1))
    exact = "calibrated" if score.calibrated else "not calibrated"
    bar = ProgressBar(total=100, completed=score.risk_score, width=30, complete_style=color, finished_style=color)
    gauge.add_row(bar, Text(f"probability {score.probability:.2f} ({exact})"))
    lines: list[RenderableType] = [gauge]
    if score.needs_review:
        lines.append(Text("A person should look at this one.", style="yellow"))
    if reasoning:
        lines += [Text(), Text(score.reasoning)]
    lines += [Text(), _flags(score), Text()]
    adapter = f", adapter {score.model.adapter}" if score.model.adapter else ", no adapter"
    lines.append(Text(f"{score.model.base}{adapter}", style="dim"))
    return Panel(Group(*lines), title=title, title_align="left", box=ROUNDED)


def passage_list(results: list[dict[str, Any]]) -> RenderableType:
    """Search results, best first: title, page and score above the text."""
    grid = Table.grid(padding=(0, 1, 1, 0))
    for position, found in enumerate(results, start=1):
        head = Text(found["title"], style="bold")
        page = "" if found["page"] is None else f", page {found['page']}"
        head.append(f"{page}  {found['score']:.4f}  {found['chunk_id']}", style="not bold dim")
        head.append(f"\n{' '.join(found['text'].split())}", style="not bold not dim")
        grid.add_row(Text(str(position), style="cyan"), head)
    return grid


def _flags(score: FraudResult) -> RenderableType:
    if not score.red_flags:
        return Text("No red flags.", style="dim")
    grid = Table.grid(padding=(0, 1))
    for flag in score.red_flags:
        grid.add_row(Text("▲", style="red"), Text(flag.code, style="bold"), Text(flag.evidence))
    return grid


def _value(field: ExtractedField) -> Text:
    if field.value is None:
        return Text(_WHY_NULL.get(field.reason or "", field.reason or "none").replace("_", " "), style="dim")
    return Text(str(field.value))


def _quote(evidence: Evidence | None) -> Text:
    quote = "" if evidence is None else " ".join(evidence.quote.split())
    return Text(quote if len(quote) <= _QUOTE_CHARS else f"{quote[:_QUOTE_CHARS]}…")


def _place(evidence: Evidence | None) -> str:
    """Characters of the text, after the page where there are pages."""
    if evidence is None:
        return ""
    page = "" if evidence.page is None else f"p. {evidence.page}, "
    return f"{page}{evidence.start}-{evidence.end}"


def _sure(field: ExtractedField) -> str:
    return "" if field.value is None else f"{field.confidence:.0%}"
