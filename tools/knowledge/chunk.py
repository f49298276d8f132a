"""Structure-aware chunks: sections, paragraphs, lists and tables stay whole where they fit; offsets are exact.

Sizes are tokens of the embedding model. langchain-text-splitters was tried and left: its recursive splitter finds
offsets by searching for the text again, and in 27 of 200 trial texts with repeated lines that left text outside all
chunks; its splitters know neither pages nor table rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tools.knowledge.blocks import Block, split_blocks
from tools.knowledge.documents import PAGE_BREAK, Chunk, ParsedDocument, Passage
from tools.knowledge.sentences import LIST_MARKER, is_rule, split_sentences

CountTokens = Callable[[str], int]

_UNMARKED = frozenset({"application/pdf", "text/plain", "text/csv"})
# A word of any length can be one token (unknown); this keeps chunks readable all the same.
_MAX_CHARACTERS_PER_TOKEN = 16


@dataclass(frozen=True)
class _Unit:
    """The smallest piece that chunks are packed from."""

    start: int
    end: int
    tokens: int
    kind: str
    context: str = ""


@dataclass
class _Packer:
    """Packs units of one document into chunks of at most `size` tokens."""

    text: str
    size: int
    overlap: int
    count_tokens: CountTokens
    chunks: list[Chunk] = field(default_factory=list[Chunk])
    pending: list[_Unit] = field(default_factory=list[_Unit])
    page: int | None = None
    path: list[Block] = field(default_factory=list[Block])

    def add_block(self, block: Block) -> None:
        """Add a block, whole if it fits into a chunk beside the headings above it."""
        if block.kind == "heading":
            self._add_heading(block)
            return
        headings = sum(unit.tokens for unit in self.pending) if self._only_headings() else 0
        room = self.size - headings
        if room < max(1, self.size // 2):
            self.flush()
            room = self.size
        for unit in _units(self.text, block, room, self.count_tokens):
            self._add(unit)

    def flush(self) -> None:
        """Close the pending chunk."""
        if self.pending:
            start, end = self.pending[0].start, self.pending[-1].end
            heading = tuple(block.title for block in self.path if block.title)
            text = self.text[start:end]
            self.chunks.append(Chunk(len(self.chunks), text, start, end, self.page, heading, self.pending[0].context))
            self.pending = []

    def _add_heading(self, block: Block) -> None:
        if not self._only_headings():
            self.flush()
        self.path = [above for above in self.path if above.level < block.level]
        self.path.append(block)
        for unit in _units(self.text, block, self.size, self.count_tokens):
            self._add(unit)

    def _add(self, unit: _Unit) -> None:
        if self.pending and not self._fits(self.pending, unit):
            repeated = self._repeated()
            self.flush()
            if repeated and self._fits([repeated], unit):
                self.pending = [repeated]
        self.pending.append(unit)

    def _fits(self, units: Sequence[_Unit], unit: _Unit) -> bool:
        tokens = sum(earlier.tokens for earlier in units) + unit.tokens
        return tokens <= self.size and unit.end - units[0].start <= self.size * _MAX_CHARACTERS_PER_TOKEN

    def _repeated(self) -> _Unit | None:
        """Return the last sentences of the pending prose, up to `overlap` tokens, for the next chunk to start with."""
        last = self.pending[-1]
        if last.kind != "paragraph" or self.overlap <= 0:
            return None
        best: _Unit | None = None
        for sentence in reversed(split_sentences(self.text[last.start : last.end])):
            start = last.start + sentence.start
            tokens = self.count_tokens(self.text[start : last.end])
            if tokens > self.overlap or start == self.pending[0].start:
                break
            best = _Unit(start, last.end, tokens, "paragraph")
        return best

    def _only_headings(self) -> bool:
        return all(unit.kind == "heading" for unit in self.pending)


def chunk_document(
    document: ParsedDocument, *, size: int = 200, overlap: int = 20, count_tokens: CountTokens
) -> list[Chunk]:
    """Cut a document into chunks of at most `size` tokens that hold all its text and never cross a page.

    A paragraph that is too long is cut between sentences, a list between items, a table between rows. Where prose is
    cut, up to `overlap` tokens of whole sentences are repeated. Raises `ValueError` unless `0 <= overlap < size`.
    """
    if not 0 <= overlap < size:
        raise ValueError(f"overlap must be at least 0 and less than size, not {overlap!r} of {size!r}")
    packer = _Packer(document.text, size, overlap, count_tokens)
    marked_up = document.media_type not in _UNMARKED
    start = 0
    for page in document.pages:
        packer.page = page.number
        end = start + len(page.text)
        for block in split_blocks(packer.text, start, end, marked_up=marked_up):
            packer.add_block(block)
        packer.flush()
        start = end + len(PAGE_BREAK)
    return packer.chunks


def embedding_text(chunk: Chunk | Passage, title: str) -> str:
    """Return what is embedded for a chunk: title and heading path, the header of a split table, then its text."""
    path = [title, *(heading for heading in chunk.heading if heading != title)]
    # A heading that opens the chunk would be said twice.
    first_line = chunk.text.split("\n", 1)[0]
    shown = [part for part in path if part not in first_line]
    return "\n".join(part for part in (" > ".join(shown), chunk.context, chunk.text) if part)


def _units(text: str, block: Block, room: int, count_tokens: CountTokens) -> Iterator[_Unit]:
    whole = _Unit(block.start, block.end, count_tokens(text[block.start : block.end]), block.kind)
    if _is_small(whole, room):
        yield whole
    elif block.kind in ("table", "code"):
        yield from _lines(text, block, room, count_tokens)
    elif block.kind == "list":
        yield from _items(text, block, room, count_tokens)
    else:
        yield from _sentences(text, block.start, block.end, block.kind, room, count_tokens)


def _is_small(unit: _Unit, room: int) -> bool:
    return unit.tokens <= room and unit.end - unit.start <= room * _MAX_CHARACTERS_PER_TOKEN


def _lines(text: str, block: Block, room: int, count_tokens: CountTokens) -> Iterator[_Unit]:
    """Cut a table or code between lines; rows after the header carry it as context."""
    spans = list(_line_spans(text, block.start, block.end))
    header, header_end = "", block.start
    if block.kind == "table":
        ruled = len(spans) > 1 and is_rule(text[slice(*spans[1])])
        header = text[slice(*spans[0])].strip()
        header_end = spans[1 if ruled else 0][1]
        if not ruled and any(character.isdigit() for character in header):
            header = ""
    room_for_rows = room - count_tokens(header)
    if room_for_rows < max(1, room // 2):
        header, room_for_rows = "", room
    for start, end in spans:
        context = header if start >= header_end else ""
        for unit in _sentences(text, start, end, block.kind, room_for_rows, count_tokens):
            yield _Unit(unit.start, unit.end, unit.tokens, unit.kind, context)


def _items(text: str, block: Block, room: int, count_tokens: CountTokens) -> Iterator[_Unit]:
    starts = [start for start, end in _line_spans(text, block.start, block.end) if LIST_MARKER.match(text, start, end)]
    cuts = [block.start, *(start for start in starts if start > block.start), block.end]
    for start, end in pairwise(cuts):
        yield from _sentences(text, start, end, block.kind, room, count_tokens)


def _line_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for line in text[start:end].split("\n"):
        if line.strip():
            yield start, start + len(line)
        start += len(line) + 1


def _sentences(text: str, start: int, end: int, kind: str, room: int, count_tokens: CountTokens) -> Iterator[_Unit]:
    """Yield a span whole, else its sentences, else its words."""
    end = start + len(text[start:end].rstrip())
    whole = _Unit(start, end, count_tokens(text[start:end]), kind)
    if _is_small(whole, room):
        if end > start:
            yield whole
        return
    for sentence in split_sentences(text[start:end]):
        first, last = start + sentence.start, start + sentence.end
        unit = _Unit(first, last, count_tokens(sentence.text), kind)
        if _is_small(unit, room):
            yield unit
        else:
            yield from _words(text, first, last, kind, room, count_tokens)


def _words(text: str, start: int, end: int, kind: str, room: int, count_tokens: CountTokens) -> Iterator[_Unit]:
    """Cut between words where possible, each piece as long as fits."""
    while start < end:
        stop = _longest_fit(text, start, min(end, start + room * _MAX_CHARACTERS_PER_TOKEN), room, count_tokens)
        if stop < end and not text[stop].isspace():
            space = max(text.rfind(" ", start + 1, stop), text.rfind("\n", start + 1, stop))
            stop = space if space > start else stop
        yield _Unit(start, stop, count_tokens(text[start:stop]), kind)
        start = stop
        while start < end and text[start].isspace():
            start += 1


def _longest_fit(text: str, start: int, limit: int, room: int, count_tokens: CountTokens) -> int:
    """Return the largest end (found by bisection, at least one character) with `text[start:end]` in `room` tokens."""
    low, high = start + 1, limit
    while low < high:
        middle = (low + high + 1) // 2
        if count_tokens(text[start:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    return low
