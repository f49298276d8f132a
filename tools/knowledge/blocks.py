"""The structure of a document's text: headings, paragraphs, lists, tables and code, each a span of lines.

Markdown says what it is. In PDF and plain text headings are guessed, cautiously: a missed heading costs little, an
invented one cuts a paragraph in two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tools.knowledge.sentences import LIST_MARKER, is_rule, is_table_row

Kind = Literal["heading", "paragraph", "list", "table", "code"]


@dataclass(frozen=True)
class Block:
    """A span of whole lines without the blank lines around it. `level` and `title` are a heading's."""

    kind: Kind
    start: int
    end: int
    level: int = 0
    title: str = ""


@dataclass(frozen=True)
class _Line:
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_SETEXT = re.compile(r" {0,3}(=+|-{3,})[ \t]*$")
_INDENTED = re.compile(r"[ \t]{2,}\S|\t")
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,4})(\.?)[ \t]+(?=[A-Z])")
_NAMED = re.compile(r"(?:Chapter|Part|Section|Article|Appendix|Annex|Schedule)[ \t]+(?:\d+|[A-Z]|[IVX]+)\b")
_NUMBER_START = re.compile(r"(\d{1,2})[.)]?[ \t]")
_SMALL_WORDS = frozenset("a an and as at by for from in into of on or per the to with".split())
_MAX_HEADING_CHARACTERS = 80
_MAX_HEADING_WORDS = 10
_MAX_PLAIN_TITLE_WORDS = 6
_MIN_BODY_CHARACTERS = 40
_NOT_LAST = ".,;:!-–—|&"
_PLAIN_LEVEL = 2


def split_blocks(text: str, start: int, end: int, *, marked_up: bool) -> list[Block]:
    """Return the blocks of `text[start:end]` in order; together they hold every character that is not white space.

    `marked_up` text is Markdown; in other text headings are recognised by their looks.
    """
    lines = _lines(text, start, end)
    blocks: list[Block] = []
    position = 0
    while position < len(lines):
        if not lines[position].text.strip():
            position += 1
            continue
        block, position = _next_block(lines, position, marked_up)
        blocks.append(block)
    return blocks


def _lines(text: str, start: int, end: int) -> list[_Line]:
    lines: list[_Line] = []
    for line in text[start:end].split("\n"):
        lines.append(_Line(line, start))
        start += len(line) + 1
    return lines


def _next_block(lines: Sequence[_Line], at: int, marked_up: bool) -> tuple[Block, int]:
    if heading := _heading(lines, at, marked_up):
        return heading
    if marked_up and (fence := _FENCE.match(lines[at].text)):
        stop = _fence_end(lines, at, fence.group(1))
        return _block("code", lines[at:stop]), stop
    if is_table_row(lines[at].text):
        stop = at + 1
        while stop < len(lines) and (is_table_row(lines[stop].text) or is_rule(lines[stop].text)):
            stop += 1
        return _block("table", lines[at:stop]), stop
    if LIST_MARKER.match(lines[at].text):
        stop = _list_end(lines, at, marked_up)
        return _block("list", lines[at:stop]), stop
    stop = at + 1
    while stop < len(lines) and not _interrupts(lines, stop, marked_up):
        stop += 1
    return _block("paragraph", lines[at:stop]), stop


def _block(kind: Kind, lines: Sequence[_Line]) -> Block:
    return Block(kind, lines[0].start, max(line.end for line in lines if line.text.strip()))


def _interrupts(lines: Sequence[_Line], at: int, marked_up: bool) -> bool:
    """Return whether the line ends the paragraph before it."""
    line = lines[at].text
    return (
        not line.strip()
        or is_table_row(line)
        or LIST_MARKER.match(line) is not None
        or (marked_up and _FENCE.match(line) is not None)
        or _heading(lines, at, marked_up) is not None
    )


def _fence_end(lines: Sequence[_Line], at: int, fence: str) -> int:
    for stop in range(at + 1, len(lines)):
        if lines[stop].text.strip().startswith(fence):
            return stop + 1
    return len(lines)


def _list_end(lines: Sequence[_Line], at: int, marked_up: bool) -> int:
    """A list goes on over wrapped lines, and over one blank line where an item or an indented line follows."""
    number = _item_number(lines[at].text)
    stop = at + 1
    while stop < len(lines):
        line = lines[stop].text
        follows_number = number is not None and _item_number(line) == number + 1
        if not line.strip():
            follows = lines[stop + 1].text if stop + 1 < len(lines) else ""
            if not (LIST_MARKER.match(follows) or (marked_up and _INDENTED.match(follows))):
                return stop
        elif is_table_row(line) or (not follows_number and _heading(lines, stop, marked_up) is not None):
            return stop
        number = _item_number(line) if follows_number else number
        stop += 1
    return stop


def _item_number(line: str) -> int | None:
    match = _NUMBER_START.match(line.strip())
    return int(match.group(1)) if match else None


def _heading(lines: Sequence[_Line], at: int, marked_up: bool) -> tuple[Block, int] | None:
    line = lines[at]
    if not marked_up:
        level = _plain_level(lines, at)
        return (Block("heading", line.start, line.end, level, line.text.strip()), at + 1) if level else None
    if match := _ATX.match(line.text):
        return Block("heading", line.start, line.end, len(match.group(1)), match.group(2).rstrip("# \t")), at + 1
    below = lines[at + 1] if at + 1 < len(lines) else None
    above_is_blank = at == 0 or not lines[at - 1].text.strip()
    if below and above_is_blank and (match := _SETEXT.match(below.text)) and _can_be_setext(line.text):
        level = 1 if match.group(1).startswith("=") else 2
        return Block("heading", line.start, below.end, level, line.text.strip()), at + 2
    return None


def _can_be_setext(line: str) -> bool:
    return not (is_table_row(line) or LIST_MARKER.match(line) or is_rule(line))


def _plain_level(lines: Sequence[_Line], at: int) -> int:
    """Return the level that a line of unmarked text has as a heading, 0 for none."""
    line = lines[at].text.strip()
    words = line.split()
    if len(line) > _MAX_HEADING_CHARACTERS or not 0 < len(words) <= _MAX_HEADING_WORDS or line[-1] in _NOT_LAST:
        return 0
    above = lines[at - 1].text.strip() if at else ""
    below = next((following.text.strip() for following in lines[at + 1 : at + 3] if following.text.strip()), "")
    # Wrapped prose fills its lines; a short line above is a title or the end of a paragraph.
    starts_afresh = not above or above[-1] in ".!?:;|" or len(above) < _MIN_BODY_CHARACTERS
    if not starts_afresh or below[:1].islower() or is_table_row(line):
        return 0
    introduces_text = len(below) >= _MIN_BODY_CHARACTERS and len(below) > len(line)
    if match := _NUMBERED.match(line):
        # A number without its full stop may be a street's: "12 Harbour Road" above a town.
        is_marked = match.group(2) == "." or "." in match.group(1)
        depth = match.group(1).count(".")
        return _PLAIN_LEVEL + depth if (is_marked or introduces_text) and not _is_item(match.group(1), below) else 0
    if _NAMED.match(line) and below:
        return _PLAIN_LEVEL
    if above or not below:
        return 0
    return _unnumbered_level(line, words, below, is_apart=not lines[at + 1].text.strip())


def _unnumbered_level(line: str, words: Sequence[str], below: str, *, is_apart: bool) -> int:
    titles_sections = _NUMBERED.match(below) is not None
    is_short = (titles_sections or is_apart) and len(words) <= _MAX_PLAIN_TITLE_WORDS
    if ": " in line or not line[0].isupper() or not (is_short or _is_title_case(words)):
        return 0
    if titles_sections:
        return _PLAIN_LEVEL - 1
    introduces_text = len(below) >= _MIN_BODY_CHARACTERS and len(below) > len(line)
    return _PLAIN_LEVEL if introduces_text else 0


def _is_item(number: str, below: str) -> bool:
    """Return whether a numbered line is a list item: "1. Letter" above "2. Receipt"."""
    return number.isdigit() and _item_number(below) == int(number) + 1


def _is_title_case(words: Sequence[str]) -> bool:
    return all(word[0].isupper() or not word[0].isalpha() or word in _SMALL_WORDS for word in words)
