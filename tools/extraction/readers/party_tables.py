"""Parties that stand in a table, a list of labels or columns side by side, rather than in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tools.extraction.readers.names import organisations
from tools.extraction.readers.source import Candidate, Line, Source

_HEAD_LINES, _HEAD_CHARS = 60, 4000
_WIDEST = 400
_REACH = 6
"""Lines below two names in which their roles are looked for."""
_CELL = re.compile(r"[^\s|](?:(?!\s{2,}|\s*\||\t).)*")
_LABEL = re.compile(r"(?:the\s+)?(?P<role>[A-Z][\w'’-]*(?:[ ][\w'’-]+){0,2}?)\s*(?:[:|]\s*)?", re.IGNORECASE)
_QUOTED = re.compile(
    r"\(?\s*(?:(?:the|as|as the)\s+)?[\"“](?:the\s+)?(?P<role>[^\"“”]{2,45})[\"”]\s*\)?", re.IGNORECASE
)
_NOT_A_ROLE = re.compile(
    r"part(?:y|ies)\b|\bname\b|\bcompany\b|\bbetween\b|\band\b|\bundersigned\b|\bsigned\b|\bby\b|agreement|contract\b|\bfor\b|"
    r"\baddress|\bdate\b|\bterms?\b|notice|\battention\b|\bto\b|\bfrom\b|\bcopy\b|\bbackground\b|\bof\b|\bseat\b|\bref\b|\bno\b",
    re.IGNORECASE,
)
_ROLES = (
    "landlord|tenant|lessor|lessee|licensor|licensee|buyer|seller|purchaser|vendor|lender|borrower|employer|employee|"
    "client|contractor|consultant|supplier|customer|owner|guarantor|agent|principal|donor|donee|assignor|assignee"
)
_PERSON = r"(?P<name>(?:(?:Mr|Mrs|Ms|Dr)\.?[ ])?[A-ZÀ-Þ][\w.'’-]*(?:[ ][A-ZÀ-Þ][\w.'’-]*){1,3})"
_PERSON_AS = re.compile(rf"(?i:(?:the\s+)?(?:{_ROLES}))(?:\s?\((?i:s)\))?\s*:\s*{_PERSON}")
_PERSON_BESIDE = re.compile(_PERSON)
_ROLE_NAME = re.compile(rf"(?:the\s+)?(?:{_ROLES})\s*:?\s*", re.IGNORECASE)
_CUE = 0.85


@dataclass(frozen=True)
class Entry:
    """A name in a table with the role that its label, its bracket or its column gives it."""

    name: Candidate
    role: Candidate | None


@dataclass(frozen=True)
class _Cell:
    """A cell of a line; `name` is the organisation that it begins with."""

    start: int
    end: int
    name: Candidate | None


def party_entries(source: Source) -> Sequence[Entry]:
    """Two or more parties in a table or in columns near the top; empty where there is none such."""
    lines = [
        line for line in source.lines[:_HEAD_LINES] if 0 < len(line.text.strip()) < _WIDEST and line.start < _HEAD_CHARS
    ]
    rows = [_cells(source, line) for line in lines]
    for find in (_side_by_side, _labelled):
        found = list(find(source, rows))
        if len(found) >= 2 and all(one.role for one in found):
            return found
    return ()


def _cells(source: Source, line: Line) -> Sequence[_Cell]:
    named = {
        one.start: replace(one, cue=_CUE) for one in source.read(organisations) if line.start <= one.start < line.end
    }
    return [
        _Cell(line.start + match.start(), line.start + match.end(), named.get(line.start + match.start()))
        for match in _CELL.finditer(line.text)
    ]


def _side_by_side(source: Source, rows: Sequence[Sequence[_Cell]]) -> Iterator[Entry]:
    """Two names on a line, or on two lines one below the other, and near them as many roles."""
    for number, cells in enumerate(rows):
        names = _names(cells)
        after = number + 1
        if len(names) == 1 == len(cells) and after < len(rows) and len(rows[after]) == 1:
            names += _names(rows[after])
            after += 1
        if len(names) != 2:
            continue
        below = [cell for row in rows[after : after + _REACH] for cell in row]
        roles = [role for cell in below if (role := _quoted(source, cell))]
        if len(roles) != 2 and number:
            roles = _headings(source, rows[max(0, number - 2) : number])
        if len(roles) == 2:
            yield from (Entry(name, role) for name, role in zip(names, roles, strict=True))
            return


def _names(cells: Sequence[_Cell]) -> list[Candidate]:
    return [cell.name for cell in cells if cell.name]


def _quoted(source: Source, cell: _Cell) -> Candidate | None:
    """A role that fills its cell, in quotation marks."""
    match = _QUOTED.fullmatch(source.text, cell.start, cell.end)
    return Candidate(match["role"], match.start("role"), match.end("role"), _CUE) if match else None


def _headings(source: Source, rows: Sequence[Sequence[_Cell]]) -> list[Candidate]:
    """Two words above two names: on the line above, or on two lines."""
    cells = list(rows[-1]) if len(rows[-1]) == 2 else [cell for row in rows if len(row) == 1 for cell in row]
    return [role for cell in cells if (role := _label(source, cell.start, cell.end))]


def _labelled(source: Source, rows: Sequence[Sequence[_Cell]]) -> Iterator[Entry]:
    """Names after a label on their line (`Supplier: Acme Ltd`, `| Supplier | Acme Ltd |`) or below one. The role is
    what stands in quotation marks behind the name, else the label."""
    for number, cells in enumerate(rows):
        for before, cell in pairwise((None, *cells)):
            assert cell is not None
            if cell.name is None and before is not None and (person := _person_beside(source, before, cell)):
                name, label = person, _label(source, before.start, before.end)
            elif cell.name is None:
                name = _after_colon(source, cell)
                label = _label(source, cell.start, name.start) if name else None
            elif before is not None:
                name, label = cell.name, _label(source, before.start, before.end)
            else:
                above = rows[number - 1] if number else ()
                label = _label(source, above[0].start, above[0].end) if len(above) == 1 else None
                name = cell.name if label else None
            if name is not None and (role := _own_role(source, name) or label):
                yield Entry(name, role)


def _person_beside(source: Source, label: _Cell, cell: _Cell) -> Candidate | None:
    """A person in the cell beside the name of a role."""
    match = _PERSON_BESIDE.fullmatch(source.text, cell.start, cell.end)
    if match is None or not _ROLE_NAME.fullmatch(source.text, label.start, label.end):
        return None
    return Candidate(match["name"], match.start("name"), match.end("name"), _CUE)


def _after_colon(source: Source, cell: _Cell) -> Candidate | None:
    """The organisation right after a label and its colon; a person only after the name of a role."""
    if person := _PERSON_AS.fullmatch(source.text, cell.start, cell.end):
        return Candidate(person["name"], person.start("name"), person.end("name"), _CUE)
    return next(
        (replace(one, cue=_CUE) for one in source.read(organisations)
         if cell.start < one.start < cell.end and re.fullmatch(r"[^:]{2,40}:\s*", source.text[cell.start : one.start])),
        None,
    )  # fmt: skip


def _own_role(source: Source, name: Candidate) -> Candidate | None:
    """The role in quotation marks behind a name."""
    line_end = source.lines[source.line_number(name.start)].end
    match = _QUOTED.search(source.text, name.end, line_end)
    return Candidate(match["role"], match.start("role"), match.end("role"), _CUE) if match else None


def _label(source: Source, start: int, end: int) -> Candidate | None:
    """A label that may be a role."""
    match = _LABEL.fullmatch(source.text, start, end)
    if match is None or _NOT_A_ROLE.search(match["role"]) or not match["role"][0].isupper():
        return None
    return Candidate(match["role"], match.start("role"), match.end("role"), _CUE)
