"""The text that is read, with its lines, and the candidates that readers find in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

_WRAPPED_CHARS = 45
_LEFT_OUT = re.compile(
    r"(?<=[a-z])-[ \t]*\n[ \t]*(?=[a-z])|(?<=[A-Z])-[ \t]*\n[ \t]*(?=[A-Z])|"
    r"(?<=[\w,][\n\f])\s*(?:-\s*\d{1,3}\s*-|(?:[Pp]age\s+)?\d{1,3}(?:\s+of\s+\d{1,3})?)[ \t]*[\n\f]\s*(?=[a-z])"
)
"""A hyphen with its line break, or the foot of a page in the middle of a sentence."""
_ITEM = re.compile(r"[-*•|#]|\(?[\da-z]{1,2}[.)]\s|[A-Z][\w ]{0,24}:\s")

Scalar = str | float | int | bool


@dataclass(frozen=True)
class Candidate:
    """A possible value: `text[start:end]` of the source read as `value`.

    `cue` (0..1) is how sure the reader is, from the wording around it, that the span plays the role it was asked
    for; 0 means that only its form is known (a date, but whose?).
    """

    value: Scalar
    start: int
    end: int
    cue: float = 0.0


@dataclass(frozen=True)
class Line:
    """A line of the source without its line break; offsets count in the whole text."""

    start: int
    end: int
    text: str


Reader = Callable[["Source"], Sequence[Candidate]]


@dataclass(frozen=True)
class Prose:
    """A text whose sentences run on: words that are hyphenated over lines are joined, page numbers inside a sentence
    are left out, and the line breaks inside paragraphs are spaces."""

    text: str
    pieces: Sequence[tuple[int, int]]
    """Where each piece that was kept begins, here and in the source."""

    def place(self, start: int, end: int) -> tuple[int, int]:
        """The span of the source that `text[start:end]`, which must not be empty, was read from."""
        return self._offset(start), self._offset(end - 1) + 1

    def _offset(self, place: int) -> int:
        here, there = self.pieces[bisect_right(self.pieces, place, key=lambda piece: piece[0]) - 1]
        return there + place - here


@dataclass(frozen=True)
class Source:
    """A document's text. Readers run at most once per source."""

    text: str
    _read: dict[Reader, Sequence[Candidate]] = field(default_factory=dict[Reader, Sequence[Candidate]], repr=False)

    @cached_property
    def lines(self) -> Sequence[Line]:
        """Lines in order; a form feed (page break) ends a line as well."""
        lines: list[Line] = []
        start = 0
        for piece in self.text.replace("\f", "\n").split("\n"):
            lines.append(Line(start, start + len(piece), piece))
            start += len(piece) + 1
        return lines

    @cached_property
    def _line_starts(self) -> Sequence[int]:
        return [line.start for line in self.lines]

    @cached_property
    def lowered(self) -> str:
        """The text in lower case with every offset unchanged."""
        lowered = self.text.lower()
        if len(lowered) == len(self.text):
            return lowered
        return "".join(low if len(low := char.lower()) == 1 else char for char in self.text)

    @cached_property
    def flowed(self) -> str:
        """The text with the line breaks inside paragraphs as spaces, every offset unchanged.

        A break is inside a paragraph where its line is long and the next one is neither empty nor a list's item.
        """
        pieces = list(self.text)
        for line, following in pairwise(self.lines):
            plain = following.text.strip()
            if len(line.text) >= _WRAPPED_CHARS and plain and not _ITEM.match(plain) and self.text[line.end] == "\n":
                pieces[line.end] = " "
        return "".join(pieces)

    @cached_property
    def prose(self) -> Prose:
        """The text as running prose: see `Prose`."""
        return _as_prose(self)

    def line_number(self, offset: int) -> int:
        """Index into `lines` of the line that holds the offset."""
        return max(0, bisect_right(self._line_starts, offset) - 1)

    def read(self, reader: Reader) -> Sequence[Candidate]:
        """The reader's candidates in order of position."""
        if reader not in self._read:
            self._read[reader] = sorted(reader(self), key=lambda found: (found.start, -found.end))
        return self._read[reader]


def _as_prose(source: Source) -> Prose:
    kept: list[str] = []
    pieces: list[tuple[int, int]] = []
    length = start = 0
    for end, following in (*(match.span() for match in _LEFT_OUT.finditer(source.text)), (len(source.text),) * 2):
        if end > start or not pieces:
            pieces.append((length, start))
            kept.append(source.flowed[start:end])
            length += end - start
        start = following
    return Prose(re.sub(r"(?<=\S)[\n\f](?=[a-z])", " ", "".join(kept)), pieces)
