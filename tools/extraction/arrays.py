"""Arrays: the records and lists that a document holds, read cell by cell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from tools.extraction.fields import Group, Leaf, Repeated
from tools.extraction.plan import STANDS
from tools.extraction.proposals import READERS, propose
from tools.extraction.readers.agreements import parties
from tools.extraction.readers.checked_rows import checked_rows
from tools.extraction.readers.labels import find_labels, labelled_text
from tools.extraction.readers.rows import Table, priced_rows, tables
from tools.extraction.readers.source import Candidate, Source

Row = Mapping[str, Candidate]
"""A record: member name -> what was read for it; members that were not found are missing."""

_SELF_EVIDENT = frozenset(("email", "iban", "url", "card_last4"))
_ROLES: Mapping[str, tuple[str, ...]] = {
    "description": (
        "description",
        "item",
        "name",
        "product",
        "article",
        "service",
        "details",
        "particulars",
        "desc",
        "title",
    ),
    "quantity": ("quantity", "qty", "count", "units", "pcs", "hours"),
    "unit_price": ("unit price", "price", "rate", "unit cost"),
    "amount": ("amount", "line total", "total", "sum", "net amount", "amt", "cost", "price"),
}
_CELL_CUE = 0.88
_MAX_ITEMS = 200


def rows_of(node: Repeated, item: Group, source: Source) -> Sequence[Row]:
    """The records of an array of objects: parties, a table that fits, priced rows, or repeated labelled blocks."""
    members = {name: member for name, member in item.members.items() if isinstance(member, Leaf)}
    if node.records == "parties":
        return _parties(members, source)
    for table in sorted(tables(source), key=lambda one: -len(one.rows)):
        if rows := _from_table(members, table, source):
            return rows[:_MAX_ITEMS]
    if roles := _priced_roles(members):
        return [
            {roles[role]: cell for role, cell in row.items() if role in roles}
            for row in priced_rows(source) or checked_rows(source)
        ]
    return _blocks(members, source)[:_MAX_ITEMS]


def _parties(members: Mapping[str, Leaf], source: Source) -> Sequence[Row]:
    rows: list[Row] = []
    seen: set[str] = set()
    for party in parties(source):
        if str(party.name.value).lower() in seen:
            continue
        seen.add(str(party.name.value).lower())
        found = {"name": party.name} | ({"role": party.role} if party.role else {})
        rows.append({name: found[name] for name in members if name in found})
    return rows


def _matches(labels: Sequence[str], header: str) -> int | None:
    """The rank of the first label that the header cell carries as whole words."""
    plain = " ".join(re.findall(r"[^\W_]+(?:/[^\W_]+)?", header.lower()))
    for rank, label in enumerate(labels):
        if re.search(rf"(?<!\w){re.escape(label)}(?!\w)", plain):
            return rank + (0 if plain == label else 1)
    return None


def _columns(members: Mapping[str, Leaf], headers: Sequence[str]) -> dict[str, int]:
    """Member -> column, best label match first, each column once."""
    ranked: list[tuple[int, str, int]] = []
    for name, leaf in members.items():
        for column, header in enumerate(headers):
            rank = _matches(leaf.labels, header)
            weak = _matches(leaf.weak_labels, header) if rank is None else None
            if rank is not None or weak is not None:
                ranked.append((rank if rank is not None else 50 + (weak or 0), name, column))
    taken: dict[str, int] = {}
    for _, name, column in sorted(ranked):
        if name not in taken and column not in taken.values():
            taken[name] = column
    return taken


def _from_table(members: Mapping[str, Leaf], table: Table, source: Source) -> list[Row]:
    headers = [source.text[start:end] for start, end in table.headers]
    columns = _columns(members, headers)
    if len(columns) < min(2, len(members)):
        return []
    rows: list[Row] = []
    for spans in table.rows:
        row = {
            name: cell for name, column in columns.items() if (cell := read_cell(members[name], source, *spans[column]))
        }
        summary = re.match(
            r"\W*(?:sub\s?-?total|total|vat|tax)\b", source.text[spans[0][0] : spans[-1][1]], re.IGNORECASE
        )
        if row and not summary:
            rows.append(row)
    return rows


def read_cell(leaf: Leaf, source: Source, start: int, end: int) -> Candidate | None:
    """A cell read as the field's kind; free text as it stands."""
    text = source.text[start:end]
    if not re.search(r"\w", text):
        return None
    if leaf.schema.get("type") in ("number", "integer"):
        inside = [c for c in source.read(READERS["number"]) if start <= c.start and c.end <= end]
        return replace(inside[-1], cue=_CELL_CUE) if inside else None
    reader = (
        READERS.get(leaf.kind)
        if leaf.kind in ("date", "timestamp", "iban", "email", "currency", "card_last4", "duration")
        else None
    )
    if reader is not None:
        inside = [c for c in source.read(reader) if start <= c.start and c.end <= end]
        return replace(inside[0], cue=_CELL_CUE) if inside else None
    if leaf.kind in ("enum", "boolean"):
        cell = Source(text)
        return _shifted(best.candidate, start) if (best := next(iter(propose(leaf, cell)), None)) else None
    return Candidate(" ".join(text.split()), start, end, _CELL_CUE)


def _shifted(candidate: Candidate, offset: int) -> Candidate:
    return replace(candidate, start=candidate.start + offset, end=candidate.end + offset)


def _priced_roles(members: Mapping[str, Leaf]) -> dict[str, str]:
    """Role of a line item -> the member that plays it; empty unless what was sold and for how much are both there."""
    roles: dict[str, str] = {}
    for role, labels in _ROLES.items():
        for name, leaf in members.items():
            if (
                name not in roles.values()
                and _matches(labels, " ".join((*leaf.labels[:1], name.replace("_", " ")))) is not None
            ):
                roles[role] = name
                break
    return roles if {"description", "amount"} <= roles.keys() or {"description", "unit_price"} <= roles.keys() else {}


def _blocks(members: Mapping[str, Leaf], source: Source) -> list[Row]:
    """Records written as blocks of labelled lines: each block begins where the same leading label comes again."""
    starts: list[int] = []
    for leaf in members.values():
        leading = [label.start for label in find_labels(source, leaf.labels) if label.leads]
        if leading and (not starts or leading[0] < starts[0]):
            starts = sorted(set(leading))
    rows: list[Row] = []
    for start, end in pairwise([*starts, len(source.text)]):
        block = Source(source.text[start:end])
        row: dict[str, Candidate] = {}
        for name, leaf in members.items():
            best = next(iter(propose(leaf, block)), None)
            if best is not None and best.score >= STANDS:
                row[name] = replace(_shifted(best.candidate, start), cue=best.score)
        if row:
            rows.append(row)
    return rows


def items_of(node: Repeated, leaf: Leaf, source: Source) -> Sequence[Candidate]:
    """The values of an array of scalars: everything of a self-evident kind, or the list that the label announces."""
    labels = (*node.labels, *leaf.labels)
    if leaf.kind in _SELF_EVIDENT or leaf.kind == "enum":
        found = [proposal.candidate for proposal in propose(leaf, source)]
        return sorted((replace(one, cue=max(one.cue, 0.7)) for one in found), key=lambda one: one.start)[:_MAX_ITEMS]
    announced = labelled_text(source, labels)
    if not announced:
        return ()
    best = max(announced, key=lambda one: one.cue)
    return [cell for start, end in _split(source, best) if (cell := read_cell(leaf, source, start, end))][:_MAX_ITEMS]


def _split(source: Source, listed: Candidate) -> list[tuple[int, int]]:
    """The parts of a comma-separated list, or the bullets that begin at it."""
    line_number = source.line_number(listed.start)
    if re.match(r"\s*(?:[-*•]|\d+[.)])\s", source.lines[line_number].text):
        spans: list[tuple[int, int]] = []
        for line in source.lines[line_number:]:
            bullet = re.match(r"\s*(?:[-*•]|\d+[.)])\s+", line.text)
            if bullet is None:
                break
            spans.append((line.start + bullet.end(), line.start + len(line.text.rstrip())))
        return spans
    text = source.text[listed.start : listed.end]
    return [(listed.start + m.start(), listed.start + m.end()) for m in re.finditer(r"[^,;\s](?:[^,;]*[^,;\s])?", text)]
