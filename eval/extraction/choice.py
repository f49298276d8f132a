"""Which built-in schema chat chooses for a document, held against what the document is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from eval.extraction.articles import read_articles
from eval.extraction.generator import generate, generate_unusual
from eval.extraction.receipts import read_receipts
from eval.statistics import bootstrap
from tools.extraction.choose import schema_of_message

Half = Literal["develop", "report"]
Chooser = Callable[[str, str | None], str | None]
"""From a message and the attached document, if there is one, to a schema."""
ASKED, NONE = "asked back", "none of them"
WAYS = ("pasted", "attached")
_INSTRUCTIONS = (
    "Extract the fields of this document:", "Read this and give me the data as JSON.",
    "What does it say? Please pull out the details.", "Get me everything that is in here:",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A document of a kind (None: none of the built-in ones); `group` names what it shares with others."""

    corpus: str
    kind: str | None
    text: str
    group: str


def cases(half: Half, count: int, seed: int, receipts: Path | None, articles: Sequence[Path]) -> Iterator[Case]:
    """Documents of our own, of the training side to develop on and of the held-out side to report, and real ones."""
    side = "train" if half == "develop" else "held_out"
    name = side.replace("_", "-")
    for one in generate(side, count, seed):
        yield Case(f"{name} documents", one.schema, one.text, one.group)
    for one in generate_unusual(side, count * 2 // 5, seed):
        yield Case(f"{name} documents in unusual layouts", one.schema, one.text, one.group)
    for one in read_receipts(receipts, half) if receipts else ():
        yield Case("receipts", "receipt", one.text, one.group)
    for path in articles:
        yield from (Case("articles and policies", None, text, title) for title, text in read_articles(path, half))


def measure(documents: Sequence[Case], choose: Chooser = schema_of_message) -> list[dict[str, Any]]:
    """A row for each corpus and way of handing the document over, with its confusion table, as JSON."""
    rows: list[dict[str, Any]] = []
    for corpus in dict.fromkeys(one.corpus for one in documents):
        chosen = [one for one in documents if one.corpus == corpus]
        for way in WAYS:
            found = [_choice(choose, one, way, number) for number, one in enumerate(chosen)]
            rows.append({"corpus": corpus, "way": way, **_figures(chosen, found)})
    return rows


def _choice(choose: Chooser, case: Case, way: str, number: int) -> str | None:
    instruction = _INSTRUCTIONS[number % len(_INSTRUCTIONS)]
    return choose(f"{instruction}\n\n{case.text}", None) if way == "pasted" else choose(instruction, case.text)


def _figures(documents: Sequence[Case], found: Sequence[str | None]) -> dict[str, Any]:
    groups = [one.group for one in documents]
    right = [one.kind == schema for one, schema in zip(documents, found, strict=True)]
    wrong = [schema is not None and not hit for schema, hit in zip(found, right, strict=True)]
    asked = [schema is None and not hit for schema, hit in zip(found, right, strict=True)]
    pairs = Counter((one.kind or NONE, schema or ASKED) for one, schema in zip(documents, found, strict=True))
    table = {kind: {schema: n for (true, schema), n in sorted(pairs.items()) if true == kind}
             for kind in sorted({one.kind or NONE for one in documents})}  # fmt: skip
    return {
        "documents": len(documents), "right": _share(right, groups), "asked": _share(asked, groups),
        "wrong": _share(wrong, groups), "table": table,
    }  # fmt: skip


def _share(hits: Sequence[bool], groups: Sequence[str]) -> dict[str, float]:
    values = np.array(hits, dtype=float)
    return bootstrap(lambda rows: float(values[rows].mean()), groups)
