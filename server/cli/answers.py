"""Answers on a terminal: the draft while it streams, then the answer with what supports it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from agent.results import Citation, TurnResult
from server.cli.backend import Event
from server.cli.cards import extraction_table, fraud_card


class Timings(BaseModel):
    """Milliseconds from the run's start."""

    ttft_ms: float | None
    total_ms: float


class TurnAnswer(TurnResult):
    """A finished turn as the API gives it back."""

    model_config = ConfigDict(extra="ignore")

    run_id: str
    thread_id: str
    trace_id: str
    timings: Timings


@dataclass
class Draft:
    """What a terminal shows of a turn that is under way."""

    status: str = "Reading the question"
    text: str = ""

    def apply(self, event: Event) -> None:
        """Take an event in."""
        if event.name == "route":
            self.status = f"Route: {event.data['routed_to']}"
        elif event.name == "status":
            self.status = event.data["text"]
        elif event.name == "token":
            self.text += event.data["text"]
        elif event.name == "restart":
            self.text = ""

    def __rich__(self) -> RenderableType:
        return Text(self.text) if self.text.strip() else Spinner("dots", text=Text(self.status, style="dim"))


def print_support(console: Console, answer: TurnAnswer) -> None:
    """Print what comes below an answer: citations, extracted fields, fraud card, suggestions, how to go on."""
    for part in _parts(answer):
        console.print()
        console.print(part)


def _parts(answer: TurnAnswer) -> Iterator[RenderableType]:
    if answer.degraded:
        yield Text("Something simpler answered, because a model does not answer at the moment.", style="yellow")
    if answer.citations:
        yield _citations(answer.citations)
    if answer.extraction:
        yield extraction_table(answer.extraction)
    if answer.fraud:
        yield fraud_card(answer.fraud, reasoning=False)
    if answer.suggestions:
        yield _suggestions(answer.suggestions)
    yield _footer(answer)


def _citations(citations: Sequence[Citation]) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    for citation in citations:
        source = Text(citation.title, style="bold")
        if citation.page is not None:
            source.append(f", page {citation.page}", style="not bold")
        source.append(f"\n“{' '.join(citation.quote.split())}”", style="not bold dim")
        grid.add_row(Text(f"[{citation.n}]", style="cyan"), source)
    return grid


def _suggestions(suggestions: Sequence[str]) -> RenderableType:
    lines = [Padding(Text(f"• {suggestion}"), (0, 0, 0, 2)) for suggestion in suggestions]
    return Group(Text("You could try:"), *lines)


def _footer(answer: TurnAnswer) -> Text:
    facts = [f"{answer.route} {answer.confidence:.0%}"]
    if answer.routed_to != answer.route:
        facts[0] = f"{answer.route} (first read as {answer.routed_to} {answer.confidence:.0%})"
    if answer.reason:
        facts.append(f"reason: {answer.reason}")
    if answer.cached:
        facts.append("from cache")
    facts.append(f"{answer.timings.total_ms / 1000:.1f} s")
    if answer.usage.completion_tokens:
        facts.append(f"{answer.usage.prompt_tokens} + {answer.usage.completion_tokens} tokens")
    if answer.usage.cost_usd:
        facts.append(f"${answer.usage.cost_usd:.4f}")
    return Text(f"{' · '.join(facts)}\nGo on with: --thread {answer.thread_id}", style="dim")
