"""Sample a record, write a document about it, make it noisy, and note what is still in it."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from eval.extraction.documents import Gold, LabelledDocument, Scalar
from eval.extraction.generator.grammar import Segment, Writer, load_grammar
from eval.extraction.generator.noise import MISREAD_SHARE, blemish
from eval.extraction.generator.records import SAMPLERS, Record
from eval.extraction.generator.world import load_world

Side = Literal["train", "held_out"]
KINDS: tuple[str, ...] = tuple(SAMPLERS)


UNUSUAL_KINDS: tuple[str, ...] = ("receipt", "contract")
"""The kinds with templates of unusual layouts and wordings."""
_UNUSUAL_MISREAD_SHARE = 0.6


@dataclass(frozen=True)
class WrittenDocument:
    """A text, the record that it is about, and the segments that it was written from, as they are read again."""

    id: str
    kind: str
    text: str
    record: Record
    segments: Sequence[Segment]


def generate(side: Side, count: int, seed: int, kinds: Sequence[str] = KINDS) -> Iterator[LabelledDocument]:
    """`count` documents of the side, the kinds in turn; the same arguments give the same documents."""
    for number in range(count):
        yield _document(side, kinds[number % len(kinds)], seed, number, MISREAD_SHARE)


def generate_unusual(
    side: Side, count: int, seed: int, kinds: Sequence[str] = UNUSUAL_KINDS
) -> Iterator[LabelledDocument]:
    """`count` documents in layouts unlike the usual ones, more of them misread; of `invoice` there are some, too, with
    numbers that look like an IBAN."""
    for number in range(count):
        kind = kinds[number % len(kinds)]
        yield _document(f"{side}/unusual", kind, seed, number, _UNUSUAL_MISREAD_SHARE)


def write_documents(side: Side, count: int, seed: int) -> Iterator[WrittenDocument]:
    """The documents of `generate` with their segments."""
    for number in range(count):
        yield _write(side, KINDS[number % len(KINDS)], seed, number, MISREAD_SHARE)


def _document(folder: str, kind: str, seed: int, number: int, misread_share: float) -> LabelledDocument:
    written = _write(folder, kind, seed, number, misread_share)
    gold = _gold(written.record.fields, written.record.columns, written.segments)
    return LabelledDocument(written.id, kind, written.text, gold, written.id)


def _write(folder: str, kind: str, seed: int, number: int, misread_share: float) -> WrittenDocument:
    rng = random.Random(f"{folder}/{kind}/{seed}/{number}")
    world = load_world(folder)
    record = SAMPLERS[kind](rng, world)
    writer = Writer(load_grammar(folder, kind), record, world, rng)
    segments, text = blemish(writer.write(), rng, prose=writer.layout.prose, misread_share=misread_share)
    return WrittenDocument(f"{folder.replace('/', '-')}-{kind}-{number}", kind, text, record, segments)


def _gold(fields: Sequence[str], columns: Sequence[str], segments: Sequence[Segment]) -> dict[str, Gold]:
    """What the document says of each field: a text as it stands there, anything else by its value."""
    gold: dict[str, Gold] = dict.fromkeys(fields)
    cells: dict[str, dict[int, Scalar]] = defaultdict(dict)
    for segment in segments:
        if segment.field is None:
            continue
        value = " ".join(segment.text.split()) if segment.value is None else segment.value
        if segment.row is not None:
            cells[segment.field].setdefault(segment.row, value)
        elif segment.field in gold and gold[segment.field] is None:
            gold[segment.field] = value
    return gold | {column: tuple(cells[column].values()) or None for column in columns}
