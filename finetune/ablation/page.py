"""The variants as a table: what each change does to quality, time, memory and general text."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from finetune.ablation.study import RESULTS_NAME, Result

PAGE_NAME = "ablation.md"


def write_results(results: Sequence[Result], out: Path) -> None:
    """Write `ablation.json` and `ablation.md` into a folder."""
    public = [{name: value for name, value in result.items() if name != "identity"} for result in results]
    (out / RESULTS_NAME).write_text(json.dumps(public, indent=1) + "\n", encoding="utf-8")
    (out / PAGE_NAME).write_text(table(public), encoding="utf-8")


def table(results: Sequence[Result]) -> str:
    """Markdown, one variant a line; metrics of the test rows with 95% bootstrap intervals."""
    lines = [
        "| | " + " | ".join(name for name, _ in _COLUMNS) + " |",
        "| --- " + "| ---: " * len(_COLUMNS) + "|",
        *(f"| {result['name']} | " + " | ".join(cell(result) for _, cell in _COLUMNS) + " |" for result in results),
    ]
    return "\n".join(lines) + "\n"


def _metric(name: str) -> Callable[[Result], str]:
    def cell(result: Result) -> str:
        low, high = result["intervals"][name]
        return f"{result[name]:.3f} ({low:.3f} to {high:.3f})"

    return cell


def _plain(name: str, digits: int) -> Callable[[Result], str]:
    def cell(result: Result) -> str:
        value: Any = result[name]
        return f"{value:.{digits}f}"

    return cell


_COLUMNS: list[tuple[str, Callable[[Result], str]]] = [
    ("PR-AUC", _metric("pr_auc")),
    ("MCC", _metric("mcc")),
    ("ECE", _metric("ece")),
    ("epochs", _plain("epochs", 1)),
    ("minutes", lambda result: f"{result['seconds'] / 60:.1f}"),
    ("tokens/s", _plain("tokens_per_s", 0)),
    ("peak MB", _plain("peak_memory_mb", 0)),
    ("perplexity of general text, times", _plain("perplexity_ratio", 3)),
]
