"""`docs/schema-choice.md`, from stored results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.extraction.choice import ASKED
from eval.extraction.page import interval, markdown_table

Row = Mapping[str, Any]
_HEAD = """# Which schema chat chooses

Written by `switchyard eval schema-choice` from `{source}`; do not edit.

In chat nobody has to name the schema: the user's own words decide where they name a kind of document, else what the
document looks like (`tools/extraction/kinds.py`: vocabulary in several languages, and shape). Where that is unclear,
chat asks back. Measured with requests that name no kind, the document **pasted** under the request or **attached**.
Intervals of 95% are over documents, for receipts over companies, for articles over articles. A text that is none of
the kinds is right when no schema is chosen for it.

"""
_FOOT = """
Of "before", the words of a pasted document were taken for the user's own, so that a receipt with the words "tax
invoice" was an invoice; and fewer features were known.

The thresholds are fitted (`python -m eval.extraction.fit_choice`) on the training side of the generator, the receipts
with even ids and one half of the articles, and measured on the held-out side and the other halves. Features were
developed with the same halves. Receipts are SROIE's, articles passages of SQuAD 2.0 and PolicyQA, one by one, six
together and whole; their rows are not in this repository.
"""


def choice_page(rows: Sequence[Row], before: Sequence[Row], *, source: str) -> str:
    """The page as Markdown; `before` are rows of an earlier state, on the same documents."""
    head = ("corpus", "handed over", "documents", "right", "asked back", "wrong schema", "right before", "wrong before")
    lines: list[Sequence[str]] = [head]
    for row in rows:
        earlier = next((one for one in before if _same(one, row)), None)
        then = (interval(earlier["right"]), interval(earlier["wrong"])) if earlier else ("-", "-")
        lines.append((row["corpus"], row["way"], str(row["documents"]), interval(row["right"]), interval(row["asked"]),
                      interval(row["wrong"]), *then))  # fmt: skip
    tables = [_confusion(row) for row in rows if row["way"] == "pasted"]
    return _HEAD.format(source=source) + markdown_table(lines) + "".join(tables) + _FOOT


def _same(one: Row, other: Row) -> bool:
    return all(one[key] == other[key] for key in ("corpus", "way", "documents"))


def _confusion(row: Row) -> str:
    """True kinds down, chosen schemas across."""
    table: Mapping[str, Mapping[str, int]] = row["table"]
    chosen = sorted({schema for counts in table.values() for schema in counts} - {ASKED})
    head = ("true kind", *chosen, ASKED)
    lines = [
        head,
        *((kind, *(str(counts.get(schema, 0)) for schema in (*chosen, ASKED))) for kind, counts in table.items()),
    ]
    return f"\n## {row['corpus'].capitalize()}, {row['way']}\n\n" + markdown_table(lines)
