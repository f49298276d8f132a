"""`ask --explain`: why this route, and why an answer or none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

_SHOWN = frozenset({"query", "router", "evidence", "passages"})


def print_explanation(console: Console, explanation: dict[str, Any]) -> None:
    """Print a result's `explanation`."""
    for part in _parts(explanation):
        console.print()
        console.print(part)


def _parts(explanation: dict[str, Any]) -> Iterator[RenderableType]:
    if query := explanation.get("query"):
        yield Text.assemble(("Question as understood  ", "bold"), " ".join(query.split())[:500])
    if router := explanation.get("router"):
        yield _router(router)
    if evidence := explanation.get("evidence"):
        yield _evidence(evidence)
    if passages := explanation.get("passages"):
        yield _passages(passages)
    for name, value in explanation.items():
        if name not in _SHOWN:
            yield Text.assemble((f"{name.replace('_', ' ').capitalize()}  ", "bold"), str(value))


def _router(router: dict[str, Any]) -> RenderableType:
    text = Text.assemble(("Router  ", "bold"), f"{router['routed_to']} ({router['confidence']:.2f})")
    for reason in router["reasons"]:
        text.append(f"\n  because it {reason}" if reason.startswith("reads") else f"\n  {reason}")
    ranked = sorted(router["probabilities"].items(), key=lambda item: -item[1])
    if ranked:
        text.append(f"\n  probabilities: {', '.join(f'{intent} {value:.3f}' for intent, value in ranked)}")
    if router["alternatives"]:
        text.append(
            f"\n  {'undecided between' if router['ambiguous'] else 'next'}: {', '.join(router['alternatives'])}"
        )
    return text


def _evidence(evidence: dict[str, Any]) -> RenderableType:
    probability, threshold = evidence["probability"], evidence["threshold"]
    enough = probability >= threshold
    verdict = "enough to answer" if enough else "too little to answer"
    text = Text.assemble(
        ("Evidence  ", "bold"),
        (f"{probability:.3f} {'≥' if enough else '<'} {threshold:.3f}", "green" if enough else "yellow"),
        f" (probability that the documents answer it, against the threshold): {verdict}",
    )
    for name, value in evidence["features"].items():
        text.append(f"\n  {name:<28} {value:>9.4f}")
    return text


def _passages(passages: list[dict[str, Any]]) -> RenderableType:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("Passages found", overflow="ellipsis", no_wrap=True, ratio=1)
    for name in ("page", "fused", "dense", "sparse"):
        table.add_column(name, justify="right", no_wrap=True)
    for passage in passages:
        scores = [_score(passage[name]) for name in ("score", "dense", "sparse")]
        table.add_row(passage["title"], "" if passage["page"] is None else str(passage["page"]), *scores)
    return table


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
