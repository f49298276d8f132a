"""Tables out of text laid out on a character grid (pypdf's layout mode).

Rows of a table share gutters: columns of the grid that hold only spaces. Runs of lines that share one become pipe
tables; all other lines lose their alignment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tools.knowledge.parsers import markup

_GAP = re.compile(r"\S {3,}(?=\S)")
_MIN_GUTTER = 2
_MAX_LINES_BETWEEN_ROWS = 2
_PROSE_WORDS = 5
_PROSE_ROWS = 6
_BULLET = re.compile(r"^(\s*(?:[•▪◦‣●○■\uf0b7*–-]|\(?(?:\d{1,3}|[a-z])[.)])) +(?=\S)")
_LEADERS = re.compile(r"(?: ?\. ?){4,}")


@dataclass
class _Table:
    """Lines `first` to `last` of the grid that share gutters; `ink` holds the columns that any line writes to."""

    first: int
    last: int
    ink: set[int]
    rows: list[int] = field(default_factory=list[int])


def render(grid: str) -> str | None:
    """Return the page's text with its tables as pipe tables.

    `None` says that the page is set in columns of prose: read it in the order of its content stream instead.
    """
    lines = [_BULLET.sub(r"\1 ", _LEADERS.sub(" . . . ", line)).rstrip() for line in grid.splitlines()]
    tables = [_with_last_lines(table, lines) for table in _tables(lines)]
    if any(_is_prose(_rows(lines, table)) for table in tables):
        return None
    out: list[str] = []
    position = 0
    for table in tables:
        out += [markup.one_line(line) for line in lines[position : table.first]]
        out += ["", markup.table(_merge_wrapped(_rows(lines, table)), header=False), ""]
        position = table.last + 1
    out += [markup.one_line(line) for line in lines[position:]]
    return "\n".join(out)


def _tables(lines: Sequence[str]) -> Iterator[_Table]:
    current: _Table | None = None
    for number, line in enumerate(lines):
        if not _GAP.search(line.strip()):
            continue
        if current is None or not _joins(current, number, lines):
            if current is not None and len(current.rows) > 1:
                yield current
            current = _Table(number, number, _ink(line), [number])
            continue
        for between in range(current.last + 1, number + 1):
            current.ink |= _ink(lines[between])
        current.rows.append(number)
        current.last = number
    if current is not None and len(current.rows) > 1:
        yield current


def _with_last_lines(table: _Table, lines: Sequence[str]) -> _Table:
    """Add the wrapped lines of the last row: they have one cell, go on in lower case and keep every gutter."""
    for line in lines[table.last + 1 :]:
        ink = table.ink | _ink(line)
        if not line.strip()[:1].islower() or _gutters(ink) != _gutters(table.ink):
            break
        table.ink = ink
        table.last += 1
    return table


def _joins(table: _Table, number: int, lines: Sequence[str]) -> bool:
    """A line joins when at least half of the gutters survive it and the lines between."""
    between = range(table.last + 1, number + 1)
    if len(between) > _MAX_LINES_BETWEEN_ROWS + 1:
        return False
    ink = set(table.ink)
    for index in between:
        ink |= _ink(lines[index])
    before, after = len(_gutters(table.ink)), len(_gutters(ink))
    return after > 0 and (len(table.rows) == 1 or 2 * after >= before)


def _ink(line: str) -> set[int]:
    """The columns a line writes to; the single spaces between its words count as written."""
    return {column for match in re.finditer(r"\S+(?: \S+)*", line) for column in range(match.start(), match.end())}


def _gutters(ink: set[int]) -> list[int]:
    """Return the last column of each gutter."""
    columns = sorted(ink)
    return [right - 1 for left, right in pairwise(columns) if right - left > _MIN_GUTTER]


def _rows(lines: Sequence[str], table: _Table) -> list[list[str]]:
    edges = [0, *_gutters(table.ink), None]
    cut = [slice(left, right) for left, right in pairwise(edges)]
    rows = [[line[part].strip() for part in cut] for line in lines[table.first : table.last + 1]]
    return [row for row in rows if any(row)]


def _is_prose(rows: Sequence[Sequence[str]]) -> bool:
    """Columns of prose have many lines and several words in most cells of at least two columns."""
    if len(rows) < _PROSE_ROWS:
        return False
    columns = [[len(cell.split()) for cell in column if cell] for column in zip(*rows, strict=True)]
    wordy = [words for words in columns if len(words) >= _PROSE_ROWS and sum(words) / len(words) >= _PROSE_WORDS]
    return len(wordy) > 1


def _merge_wrapped(rows: Sequence[list[str]]) -> list[list[str]]:
    """Join the lines of wrapped cells: a line with an empty first cell, or with a lone cell, continues a row.

    It belongs to the row below where that row's cell goes on in lower case (cells aligned at the bottom), else above.
    """
    merged: list[list[str]] = []
    waiting: list[str] | None = None
    for line, below in zip(rows, [*rows[1:], None], strict=True):
        row = line if waiting is None else _joined(waiting, line)
        waiting = None
        if _continues(row) and below is not None and _goes_on(row, below):
            waiting = row
        elif merged and _continues(row) and _goes_on(merged[-1], row):
            merged[-1] = _joined(merged[-1], row)
        else:
            merged.append(row)
    return merged


def _continues(row: Sequence[str]) -> bool:
    return not row[0] or sum(map(bool, row)) == 1


def _goes_on(upper: Sequence[str], lower: Sequence[str]) -> bool:
    pairs = [(above, below) for above, below in zip(upper, lower, strict=True) if above and below]
    return bool(pairs) and all(below[0].islower() for _, below in pairs)


def _joined(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    return [f"{above} {below}".strip() for above, below in zip(upper, lower, strict=True)]
