"""Which fields of a caller's own schema are asked of a document, and what it says of each."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

from eval.extraction.free_fields.notes import Fields, write_note
from eval.extraction.generator import Side, WrittenDocument, write_documents

Said = tuple[Sequence[str | Mapping[str, str]], str | None]
"""Names for a fact, and what a document says of it."""

Asked = Mapping[str, tuple[str, str | None]]
"""Fields by name: each one's description and its right answer."""

_ABSENT_SHARE = 0.3
_FOREIGN_SHARE = 0.4
_DESCRIBED_SHARE = 0.7
_LONGEST_ANSWER = 80
_MOST_FIELDS = 3
_OF_NOTES = 0.5
"""Share of the documents that are notes."""


def field_documents(side: Side, count: int, seed: int) -> Iterator[WrittenDocument]:
    """`count` documents, the generator's and notes in turn."""
    notes = round(count * _OF_NOTES)
    yield from write_documents(side, count - notes, seed)
    for number in range(notes):
        yield write_note(side, seed, number)


def said_of(document: WrittenDocument, known: Fields) -> dict[str, Said]:
    """What can be asked of a document: the names for each of its facts, and what it says of it."""
    if document.kind in known.notes:
        names = {name: fact.names for name, fact in known.notes[document.kind].facts.items()}
    else:
        names = dict(known.names[document.kind])
    said: dict[str, str] = {}
    for segment in document.segments:
        if segment.field is not None and segment.text.strip():
            said.setdefault(segment.field, " ".join(segment.text.split()))
    return {field: (named, said.get(field)) for field, named in names.items()} | _by_role(document)


def _by_role(document: WrittenDocument) -> dict[str, Said]:
    """A contract's parties: their roles are the fields' names."""
    cells: dict[int, dict[str, str]] = {}
    for segment in document.segments:
        if segment.row is not None and segment.field in ("parties[].name", "parties[].role"):
            cells.setdefault(segment.row, {}).setdefault(segment.field, " ".join(segment.text.split()))
    return {
        cell["parties[].role"].lower(): ((cell["parties[].role"].lower(),), cell["parties[].name"])
        for cell in cells.values()
        if len(cell) == 2 and cell["parties[].role"].isalpha()
    }


def asked_of(document: WrittenDocument, known: Fields, rng: random.Random) -> dict[str, tuple[str, str | None]]:
    """Up to three fields by name, each with its description and what the whole document says of it."""
    askable = said_of(document, known)
    there = [named for named in askable.values() if named[1] is not None and len(named[1]) <= _LONGEST_ANSWER]
    absent = [named for named in askable.values() if named[1] is None]
    asked: dict[str, tuple[str, str | None]] = {}
    for _ in range(rng.randint(1, _MOST_FIELDS)):
        if rng.random() < _ABSENT_SHARE or not there:
            foreign = rng.random() < _FOREIGN_SHARE or not absent
            names, answer = (known.foreign, None) if foreign else absent.pop(rng.randrange(len(absent)))
        else:
            names, answer = there.pop(rng.randrange(len(there)))
        name, description = name_and_description(rng.choice(names), rng)
        asked.setdefault(name, (description, answer))
    return asked


def name_and_description(given: str | Mapping[str, str], rng: random.Random) -> tuple[str, str]:
    """A field's name and description; some schemas leave out the descriptions that they could have."""
    text = given if isinstance(given, str) else ": ".join(next(iter(given.items())))
    name, _, description = text.partition(": ")
    return name, description if rng.random() < _DESCRIBED_SHARE else ""
