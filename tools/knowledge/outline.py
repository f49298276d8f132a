"""A document's blocks page by page, and the path of headings above a place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.knowledge.blocks import Block, split_blocks
from tools.knowledge.documents import PAGE_BREAK, Page, ParsedDocument

_UNMARKED = frozenset({"application/pdf", "text/plain", "text/csv"})


def page_blocks(document: ParsedDocument) -> Iterator[tuple[Page, list[Block]]]:
    """Yield each page with its blocks, whose offsets count in the document's text."""
    text, start = document.text, 0
    marked_up = document.media_type not in _UNMARKED
    for page in document.pages:
        end = start + len(page.text)
        yield page, split_blocks(text, start, end, marked_up=marked_up)
        start = end + len(PAGE_BREAK)


def path_below(path: Sequence[Block], heading: Block) -> list[Block]:
    """The path of headings from `heading` on, given the one before it."""
    return [*(above for above in path if above.level < heading.level), heading]


def titles(path: Sequence[Block]) -> tuple[str, ...]:
    """The headings' texts, outermost first."""
    return tuple(block.title for block in path if block.title)
