"""Chunks of a fixed number of tokens, whatever the structure: the plain baseline that other strategies must beat."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from tools.knowledge.blocks import Block
from tools.knowledge.documents import Chunk, ParsedDocument
from tools.knowledge.outline import page_blocks, path_below, titles
from tools.knowledge.windows import CountTokens, skip_space, tail_start, window_end


def chunk_fixed(document: ParsedDocument, *, size: int, overlap: int, count_tokens: CountTokens) -> list[Chunk]:
    """Cut every page into windows of `size` tokens, each repeating the last `overlap` tokens, between words.

    Sentences, lists and tables may be cut anywhere; a chunk's heading is the one that it begins below. Raises
    `ValueError` unless `0 <= overlap < size`.
    """
    if not 0 <= overlap < size:
        raise ValueError(f"overlap must be at least 0 and less than size, not {overlap!r} of {size!r}")
    text, chunks, path = document.text, list[Chunk](), list[Block]()
    for page, blocks in page_blocks(document):
        if not blocks:
            continue
        headings = list(_headings(blocks, path))
        for start, stop in _windows(text, blocks[0].start, blocks[-1].end, size, overlap, count_tokens):
            above = headings[bisect_right(headings, start, key=lambda heading: heading[0]) - 1][1]
            chunks.append(Chunk(len(chunks), text[start:stop], start, stop, page.number, titles(above)))
        path = headings[-1][1]
    return chunks


def _headings(blocks: Sequence[Block], path: list[Block]) -> Iterator[tuple[int, list[Block]]]:
    """The path of headings and where it begins to hold, in order; first the one from the page before."""
    yield blocks[0].start, path
    for block in blocks:
        if block.kind == "heading":
            path = path_below(path, block)
            yield block.start, path


def _windows(
    text: str, start: int, end: int, size: int, overlap: int, count_tokens: CountTokens
) -> Iterator[tuple[int, int]]:
    stop = start
    while stop < end:
        following = window_end(text, start, end, size, count_tokens)
        if following <= stop:
            # What is repeated leaves no room for the next word.
            start = skip_space(text, stop, end)
            following = window_end(text, start, end, size, count_tokens)
        stop = following
        yield start, stop
        start = tail_start(text, start + 1, stop, overlap, count_tokens)
        start = skip_space(text, start, end)
