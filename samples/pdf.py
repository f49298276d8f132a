"""Render the small Markdown dialect of `samples/sources` as PDF: headings, paragraphs, lists and tables.

The output is a function of the source alone: fixed metadata, no timestamps and no compression, whose bytes differ
between zlib builds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

from reportlab.lib import colors
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Table,
    TableStyle,
)

MARGIN = 22 * mm
TEXT_WIDTH = A4[0] - 2 * MARGIN

BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=10, leading=14, spaceAfter=6, alignment=TA_LEFT)
CELL = ParagraphStyle("cell", parent=BODY, fontSize=8.5, leading=11, spaceAfter=0, splitLongWords=0)
HEAD_CELL = ParagraphStyle("head_cell", parent=CELL, fontName="Helvetica-Bold")
ITEM = ParagraphStyle("item", parent=BODY, leftIndent=16, bulletIndent=2, spaceAfter=3)
HEADINGS = {
    level: ParagraphStyle(
        f"heading{level}",
        parent=BODY,
        fontName="Helvetica-Bold",
        fontSize=size,
        leading=size * 1.25,
        spaceBefore=size * 0.8,
        spaceAfter=5,
        keepWithNext=1,
    )
    for level, size in ((1, 18), (2, 13), (3, 11))
}
GRID = TableStyle(
    [
        ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
        ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
)

_HEADING = re.compile(r"(#{1,3}) (.+)")
_ITEM = re.compile(r"(\d+\.|-) (.+)")


def write_pdf(markdown: str, target: Path) -> None:
    """Write `markdown` to `target` as A4 pages with a running header that carries the title and the page number."""
    blocks = list(_blocks(markdown))
    title = next((match[2] for block in blocks if (match := _HEADING.fullmatch(block[0]))), target.stem)
    document = BaseDocTemplate(str(target), pagesize=A4, title=title, invariant=1, pageCompression=0, lang="en")
    frame = Frame(MARGIN, MARGIN, TEXT_WIDTH, A4[1] - 2 * MARGIN, leftPadding=0, rightPadding=0)
    document.addPageTemplates(PageTemplate(frames=[frame], onPage=_running_header(title)))
    document.build([flowable for block in blocks for flowable in _flowables(block)])


def _running_header(title: str) -> Callable[[Canvas, BaseDocTemplate], None]:
    def draw(canvas: Canvas, document: BaseDocTemplate) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(MARGIN, A4[1] - MARGIN * 0.6, f"{title} | Page {document.page}")

    return draw


def _blocks(markdown: str) -> Iterator[list[str]]:
    """Runs of lines between blank lines; a heading is a block of its own."""
    block: list[str] = []
    for line in markdown.splitlines():
        if block and (not line.strip() or _HEADING.match(line)):
            yield block
            block = []
        if _HEADING.match(line):
            yield [line]
        elif line.strip():
            block.append(line.strip())
    if block:
        yield block


def _flowables(block: list[str]) -> list[Flowable]:
    if heading := _HEADING.fullmatch(block[0]):
        return [Paragraph(_markup(heading[2]), HEADINGS[len(heading[1])])]
    if block[0].startswith("|"):
        return [_table(block)]
    if _ITEM.match(block[0]):
        items = [match for line in block if (match := _ITEM.fullmatch(line))]
        if len(items) != len(block):
            raise ValueError(f"a list item must stand on one line: {block!r}")
        return [_whole(Paragraph(_markup(item[2]), ITEM, bulletText=item[1])) for item in items]
    return [_whole(Paragraph(_markup(" ".join(block)), BODY))]


def _whole(paragraph: Paragraph) -> Flowable:
    """Keep a paragraph on one page, so that no sentence is cut by a page break."""
    return KeepTogether([paragraph])


def _table(lines: list[str]) -> Table:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    head, body = rows[0], rows[2:]
    weights = [max(6.0, max(len(row[column]) for row in rows) ** 0.75) for column in range(len(head))]
    widths = [TEXT_WIDTH * weight / sum(weights) for weight in weights]
    cells = [[Paragraph(_markup(cell), HEAD_CELL) for cell in head]]
    cells += [[Paragraph(_markup(cell), CELL) for cell in row] for row in body]
    return Table(cells, colWidths=widths, repeatRows=1, style=GRID, spaceBefore=4, spaceAfter=10)


def _markup(text: str) -> str:
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(text, quote=False))
