"""Markdown pieces that the HTML, DOCX and PDF parsers write, so that one chunker understands them all."""

from __future__ import annotations

from collections.abc import Sequence

MAX_LEVEL = 6


def heading(text: str, level: int) -> str:
    """Return an ATX heading of `level` 1 to 6."""
    return f"{'#' * min(max(level, 1), MAX_LEVEL)} {one_line(text)}"


def table(rows: Sequence[Sequence[str]], *, header: bool = True) -> str:
    """Return rows of cells as a pipe table; the first row is its header row unless `header` is false."""
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    lines = [f"| {' | '.join(one_line(cell) for cell in row)} |" for row in filled]
    if header and len(lines) > 1:
        lines.insert(1, f"|{' --- |' * len(filled[0])}")
    return "\n".join(lines)


def one_line(text: str) -> str:
    """Return `text` with every run of white space as one space."""
    return " ".join(text.split())
