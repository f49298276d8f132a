"""Chunks of a document as if parts of it were not there: they change neither its cuts nor its vectors.

A sentence that somebody adds would otherwise move its neighbours into other chunks, and other passages would be found.
The parts stay in the text of the chunks, so that offsets count in the document and nothing of it is lost.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from tools.knowledge.documents import Chunk, Page, ParsedDocument
from tools.ports import Span

CutDocument = Callable[[ParsedDocument], list[Chunk]]


def without_spans(text: str, spans: Sequence[Span]) -> str:
    """`text` without the spans, which are in order, and without white space at its ends."""
    return "".join(text[start:end] for start, end in _kept(text, spans)).strip()


def chunk_around(
    document: ParsedDocument, find_spans: Callable[[str], Sequence[Span]], cut: CutDocument
) -> list[Chunk]:
    """Cut `document` as if the spans that `find_spans` finds in a page were not there; they are `left_out` of chunks.

    A span between two chunks goes to the end of the first, and on top of a page to the chunk below. A page that has
    nothing else is cut as it is.
    """
    pages = _pages(document, find_spans)
    spans = [span for page in pages for span in page.spans]
    if not spans:
        return cut(document)
    cleaned = replace(document, pages=[Page(page.cleaned, page.number) for page in pages])
    chunks = [_at(document, chunk, *_original(pages, chunk)) for chunk in cut(cleaned)]
    for page in pages:
        for span in page.spans:
            _take_in(document, chunks, page, span)
    return [replace(chunk, left_out=_inside(chunk, spans)) for chunk in chunks]


@dataclass(frozen=True)
class _CleanedPage:
    """A page without its spans, which are offsets in the document, as are `start` and `end`.

    `pieces` are the starts of what is kept: in the document without the spans, and in the document.
    """

    start: int
    end: int
    number: int | None
    cleaned: str
    spans: Sequence[Span]
    pieces: Sequence[tuple[int, int]]


def _pages(document: ParsedDocument, find_spans: Callable[[str], Sequence[Span]]) -> list[_CleanedPage]:
    pages: list[_CleanedPage] = []
    start = cleaned_start = 0
    for page in document.pages:
        found = find_spans(page.text)
        spans = found if without_spans(page.text, found) else ()
        cleaned, pieces = "", list[tuple[int, int]]()
        for first, last in _kept(page.text, spans):
            pieces.append((cleaned_start + len(cleaned), start + first))
            cleaned += page.text[first:last]
        placed = [(start + first, start + last) for first, last in spans]
        pages.append(_CleanedPage(start, start + len(page.text), page.number, cleaned, placed, pieces))
        start += len(page.text) + 1
        cleaned_start += len(cleaned) + 1
    return pages


def _kept(text: str, spans: Sequence[Span]) -> Iterator[Span]:
    """What lies between the spans, without the blanks before each of them."""
    end = 0
    for first, last in spans:
        yield end, end + len(text[end:first].rstrip(" "))
        end = last
    yield end, len(text)


def _original(pages: Sequence[_CleanedPage], chunk: Chunk) -> Span:
    """Where a chunk of the cleaned document stands in the document."""
    pieces = [piece for page in pages for piece in page.pieces]

    def place(position: int) -> int:
        cleaned, original = pieces[bisect_right(pieces, position, key=lambda piece: piece[0]) - 1]
        return original + position - cleaned

    return place(chunk.start), place(chunk.end - 1) + 1


def _take_in(document: ParsedDocument, chunks: list[Chunk], page: _CleanedPage, span: Span) -> None:
    """Widen a chunk of the page, where none holds the span."""
    on_page = [at for at, chunk in enumerate(chunks) if page.start <= chunk.start < page.end]
    before = [at for at in on_page if chunks[at].start <= span[0]]
    if before:
        chunk = chunks[before[-1]]
        chunks[before[-1]] = _at(document, chunk, chunk.start, max(chunk.end, span[1]))
    else:
        chunk = chunks[on_page[0]]
        chunks[on_page[0]] = _at(document, chunk, span[0], chunk.end)


def _at(document: ParsedDocument, chunk: Chunk, start: int, end: int) -> Chunk:
    return replace(chunk, text=document.text[start:end], start=start, end=end)


def _inside(chunk: Chunk, spans: Sequence[Span]) -> tuple[Span, ...]:
    inside = ((first, last) for first, last in spans if chunk.start <= first and last <= chunk.end)
    return tuple((first - chunk.start, last - chunk.start) for first, last in inside)
