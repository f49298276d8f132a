"""Rows for an adapter of the extract role: a passage as the model sees it, fields, and what it says of each.

python -m eval.extraction.free_fields.rows --out rows.jsonl
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from eval.extraction.free_fields.cases import FieldCase, field_cases, receipt_cases
from tools.extraction.fields import Leaf, infer_leaf
from tools.extraction.plan import Open
from tools.extraction.readers.source import Source
from tools.extraction.windows import CHARS_PER_TOKEN, windows

_SEED = 5
_SHORTEST_WINDOW, _LONGEST_WINDOW = 160, 1_180
"""Characters. The longest is what the product shows at a time; short ones train faster and are more frequent."""
_LONGEST_ANSWER = 80
_ALL = 1_000_000


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


def field_rows(cases: Iterable[FieldCase], seed: int = _SEED) -> Iterator[FieldRow]:
    """A row of one to three fields for each document in which something can be asked."""
    for case in cases:
        row = _row(case, random.Random(f"rows/{case.document.id}/{seed}"))
        if row is not None:
            yield row


def _row(case: FieldCase, rng: random.Random) -> FieldRow | None:
    """The fields of a document beside the passage that the product would show the model of it."""
    leaves = [Open(leaf_of(name, description), ()) for name, (description, _) in case.asked.items()]
    room = _LONGEST_WINDOW * (_SHORTEST_WINDOW / _LONGEST_WINDOW) ** rng.random()
    passage = windows(Source(case.document.text), leaves, int(room / CHARS_PER_TOKEN))
    fields = tuple(
        AskedField(name, description, answer if _stands(passage, answer) else None)
        for name, (description, answer) in case.asked.items()
        if answer is None
        or (len(answer) <= _LONGEST_ANSWER and (_stands(passage, answer) or not _touched(passage, answer)))
    )
    return FieldRow(case.document.group, passage, fields) if fields else None


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
    parser.add_argument(
        "--receipts", type=Path, help="JSONL of real receipts: those to develop on are asked about, too"
    )
    parser.add_argument("--seed", type=int, default=_SEED)
    given = parser.parse_args()
    cases = field_cases("train", given.documents, given.seed)
    if given.receipts is not None:
        cases = chain(cases, receipt_cases(given.receipts, "train", _ALL, given.seed))
    rows = [json.dumps(asdict(row), ensure_ascii=False) for row in field_rows(cases, given.seed)]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text("\n".join(rows) + "\n", encoding="utf-8")
    print(f"{len(rows)} rows: {given.out}")


if __name__ == "__main__":
    main()
