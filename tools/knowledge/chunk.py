"""Structure-aware chunks: sections, paragraphs, lists and tables stay whole where they fit; offsets are exact.

Sizes are tokens of the embedding model. langchain-text-splitters was tried and left: its recursive splitter finds
offsets by searching for the text again, and in 27 of 200 trial texts with repeated lines that left text outside all
chunks; its splitters know neither pages nor table rows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from tools.knowledge.blocks import Block
from tools.knowledge.documents import Chunk, ParsedDocument, Passage
from tools.knowledge.outline import page_blocks, path_below, titles
from tools.knowledge.sentences import LIST_MARKER, is_rule, split_sentences
from tools.knowledge.windows import MAX_CHARACTERS_PER_TOKEN, CountTokens, word_windows

# A break in the topic ends a chunk only when it holds this share of what it could.
_MIN_SHARE_AT_BREAK = 0.25


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
    breaks: Sequence[int] = ()
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
        for part in self._parts(block):
            if self._is_break(part.start):
                self.flush()
            for unit in _units(self.text, part, room, self.count_tokens):
                self._add(unit)

    def flush(self) -> None:
        """Close the pending chunk."""
        if self.pending:
            start, end = self.pending[0].start, self.pending[-1].end
            heading = titles(self.path)
            text = self.text[start:end]
            self.chunks.append(Chunk(len(self.chunks), text, start, end, self.page, heading, self.pending[0].context))
            self.pending = []

    def _parts(self, block: Block) -> Iterator[Block]:
        """Cut a paragraph at the breaks inside it; other blocks are whole."""
        inside = self.breaks[bisect_right(self.breaks, block.start) : bisect_left(self.breaks, block.end)]
        if block.kind != "paragraph" or not inside:
            yield block
            return
        for start, end in pairwise([block.start, *inside, block.end]):
            yield replace(block, start=start, end=start + len(self.text[start:end].rstrip()))

    def _is_break(self, position: int) -> bool:
        at = bisect_left(self.breaks, position)
        held = sum(unit.tokens for unit in self.pending)
        found = at < len(self.breaks) and self.breaks[at] == position
        return found and held >= self.size * _MIN_SHARE_AT_BREAK and not self._only_headings()

    def _add_heading(self, block: Block) -> None:
        if not self._only_headings():
            self.flush()
        self.path = path_below(self.path, block)
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
        return tokens <= self.size and unit.end - units[0].start <= self.size * MAX_CHARACTERS_PER_TOKEN

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
    document: ParsedDocument,
    *,
    size: int = 200,
    overlap: int = 20,
    count_tokens: CountTokens,
    breaks: Sequence[int] = (),
) -> list[Chunk]:
    """Cut a document into chunks of at most `size` tokens that hold all its text and never cross a page.

    A paragraph that is too long is cut between sentences, a list between items, a table between rows. Where prose is
    cut, up to `overlap` tokens of whole sentences are repeated. `breaks` are ascending offsets in the text where the
    topic changes: a chunk that is not small ends there. Raises `ValueError` unless `0 <= overlap < size`.
    """
    if not 0 <= overlap < size:
        raise ValueError(f"overlap must be at least 0 and less than size, not {overlap!r} of {size!r}")
    packer = _Packer(document.text, size, overlap, count_tokens, breaks)
    for page, blocks in page_blocks(document):
        packer.page = page.number
        for block in blocks:
            packer.add_block(block)
        packer.flush()
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
    return unit.tokens <= room and unit.end - unit.start <= room * MAX_CHARACTERS_PER_TOKEN


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
    for first, stop in word_windows(text, start, end, room, count_tokens):
        yield _Unit(first, stop, count_tokens(text[first:stop]), kind)
