"""Documents with fields of callers' own schemas and what they say: of the generator's held-out side, and real ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.extraction.documents import LabelledDocument
from eval.extraction.free_fields.asked import Asked, asked_of, field_documents, name_and_description
from eval.extraction.free_fields.notes import load_fields
from eval.extraction.generator import KINDS, Side
from eval.extraction.receipts import read_receipts

BUILT_IN, NOTES, RECEIPTS = "documents of the built-in kinds", "notes of other kinds", "real receipts"
_OF_RECEIPTS = ("company", "address")
"""What a label of a receipt says in its own words; dates and totals are labelled in another form than they stand."""


@dataclass(frozen=True)
class FieldCase:
    """A document whose gold is by the fields' own names, and what is asked of it."""

    corpus: str
    document: LabelledDocument
    asked: Asked

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema that asks for the fields."""
        properties = {name: {"type": ["string", "null"], **({"description": said} if said else {})}
                      for name, (said, _) in self.asked.items()}  # fmt: skip
        return {"type": "object", "properties": properties}


def field_cases(side: Side, count: int, seed: int) -> Iterator[FieldCase]:
    """Cases of `count` documents of the side, half of them notes, up to three fields each."""
    known = load_fields(side)
    for written in field_documents(side, count, seed):
        asked = asked_of(written, known, random.Random(f"cases/{written.id}/{seed}"))
        corpus = BUILT_IN if written.kind in KINDS else NOTES
        yield _case(corpus, written.id, written.text, written.id, asked)


def receipt_cases(path: Path, side: Side, count: int, seed: int) -> Iterator[FieldCase]:
    """Real receipts with other names for company and address, and a field that no receipt has.

    Raises:
        InputError: the file cannot be read or a line does not fit.
    """
    known = load_fields(side)
    receipts = list(read_receipts(path, "develop" if side == "train" else "unseen"))
    for receipt in random.Random(seed).sample(receipts, min(count, len(receipts))):
        rng = random.Random(f"receipts/{receipt.id}/{seed}")
        asked: dict[str, tuple[str, str | None]] = {
            name: (description, str(receipt.gold[field]))
            for field in _OF_RECEIPTS
            if field in receipt.gold
            for name, description in (name_and_description(rng.choice(known.names["receipt"][field]), rng),)
        }
        name, description = name_and_description(rng.choice(known.foreign), rng)
        asked.setdefault(name, (description, None))
        yield _case(RECEIPTS, receipt.id, receipt.text, receipt.group, asked)


def _case(corpus: str, name: str, text: str, group: str, asked: Asked) -> FieldCase:
    gold = {field: answer for field, (_, answer) in asked.items()}
    return FieldCase(corpus, LabelledDocument(name, "fields", text, gold, group), asked)
