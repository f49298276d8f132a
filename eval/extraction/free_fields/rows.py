"""Rows for an adapter of the extract role: a passage as the model sees it, fields, and what it says of each.

python -m eval.extraction.free_fields.rows --out rows.jsonl
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from eval.extraction.free_fields.notes import Fields, load_fields, write_note
from eval.extraction.generator import Side, WrittenDocument, write_documents
from tools.extraction.fields import Leaf, infer_leaf
from tools.extraction.plan import Open
from tools.extraction.readers.source import Source
from tools.extraction.windows import CHARS_PER_TOKEN, windows

Said = tuple[Sequence[str | Mapping[str, str]], str | None]
"""Names for a fact, and what a document says of it."""

_SEED = 5
_ABSENT_SHARE = 0.3
_FOREIGN_SHARE = 0.4
_DESCRIBED_SHARE = 0.7
_LONGEST_ANSWER = 80
_MOST_FIELDS = 3
_SHORTEST_WINDOW, _LONGEST_WINDOW = 160, 420
_OF_NOTES = 0.5
"""Share of the documents that are notes."""


@dataclass(frozen=True)
class AskedField:
    """A field of a caller's schema and its right answer: the passage's own words on one line, or None."""

    name: str
    description: str
    answer: str | None


@dataclass(frozen=True)
class FieldRow:
    """What is asked of one passage. `document` is the same for rows that may not be split."""

    document: str
    passage: str
    fields: tuple[AskedField, ...]


def leaf_of(name: str, description: str) -> Leaf:
    """A text field of a caller's own schema."""
    return infer_leaf(name, {"type": "string", "description": description}, "string", nullable=True)


def field_documents(side: Side, count: int, seed: int) -> Iterator[WrittenDocument]:
    """`count` documents, the generator's and notes in turn."""
    notes = round(count * _OF_NOTES)
    yield from write_documents(side, count - notes, seed)
    for number in range(notes):
        yield write_note(side, seed, number)


def field_rows(side: Side, count: int, seed: int = _SEED) -> Iterator[FieldRow]:
    """A row of one to three fields for each document in which something can be asked."""
    for document in field_documents(side, count, seed):
        rng = random.Random(f"rows/{document.id}/{seed}")
        row = _row(document, load_fields(side), rng)
        if row is not None:
            yield row


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


def _row(document: WrittenDocument, known: Fields, rng: random.Random) -> FieldRow | None:
    """The fields of a document beside the passage that the product would show the model of it."""
    asked = asked_of(document, known, rng)
    leaves = [Open(leaf_of(name, description), ()) for name, (description, _) in asked.items()]
    room = rng.randint(_SHORTEST_WINDOW, _LONGEST_WINDOW)
    passage = windows(Source(document.text), leaves, int(room / CHARS_PER_TOKEN))
    fields = tuple(
        AskedField(name, description, answer if _stands(passage, answer) else None)
        for name, (description, answer) in asked.items()
        if answer is None or _stands(passage, answer) or not _touched(passage, answer)
    )
    return FieldRow(document.id, passage, fields) if fields else None


def name_and_description(given: str | Mapping[str, str], rng: random.Random) -> tuple[str, str]:
    """A field's name and description; some schemas leave out the descriptions that they could have."""
    text = given if isinstance(given, str) else ": ".join(next(iter(given.items())))
    name, _, description = text.partition(": ")
    return name, description if rng.random() < _DESCRIBED_SHARE else ""


def _stands(passage: str, answer: str | None) -> bool:
    return answer is not None and answer in " ".join(passage.split())


def _touched(passage: str, answer: str) -> bool:
    """A part of the answer stands in the passage: whether that is one is a matter of taste."""
    return any(word in passage for word in answer.split() if len(word) > 2)


def main() -> None:
    """Write the training side's rows."""
    parser = argparse.ArgumentParser(description="Write training rows for an adapter of the extract role.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=2600)
    parser.add_argument("--seed", type=int, default=_SEED)
    given = parser.parse_args()
    rows = [json.dumps(asdict(row), ensure_ascii=False) for row in field_rows("train", given.documents, given.seed)]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text("\n".join(rows) + "\n", encoding="utf-8")
    print(f"{len(rows)} rows of {given.documents} documents: {given.out}")


if __name__ == "__main__":
    main()
