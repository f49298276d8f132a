"""Texts that speak to whoever reads a document: those that attack, and where in the documents they are put."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import yaml
from pydantic import TypeAdapter

from tools.knowledge.documents import Page, ParsedDocument
from tools.knowledge.sentences import is_table_row
from tools.knowledge.unicode import repair

Placement = Literal["inside", "beside"]
PLACEMENTS: tuple[Placement, ...] = ("inside", "beside")
ATTACKS_FILE = Path(__file__).with_name("attacks.yaml")
_BY_FAMILY = TypeAdapter(dict[str, list[str]])
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n|\f|\Z")


@dataclass(frozen=True)
class Attack:
    """An instruction that stands in a document; `text` may name the question that will be asked."""

    family: str
    text: str

    def said(self, question: str) -> str:
        """What the document says, on one line."""
        return " ".join(self.text.replace("{question}", question).split())


def load_attacks(path: Path = ATTACKS_FILE) -> list[Attack]:
    """The attacks in the order of the file."""
    found: Mapping[str, Sequence[str]] = _BY_FAMILY.validate_python(yaml.safe_load(path.read_text("utf-8")))
    return [Attack(family, text) for family, texts in found.items() for text in texts]


def beside(said: str, title: str) -> ParsedDocument:
    """A document of its own that has nothing but the attack and the title of the document that it competes with."""
    return ParsedDocument(title, [Page(repair(said))], "text/markdown")


def inside(document: ParsedDocument, said: str, quote: str) -> ParsedDocument:
    """The document with the attack where `quote` stands: after it, or after the table whose row it is.

    Raises:
        ValueError: the document has no such quote.
    """
    for at, page in enumerate(document.pages):
        if (start := page.text.find(quote)) >= 0:
            text = _inserted(page.text, repair(said), start, start + len(quote))
            return replace(document, pages=[*document.pages[:at], replace(page, text=text), *document.pages[at + 1 :]])
    raise ValueError(f"{quote!r} is not in {document.title!r}")


def _inserted(text: str, said: str, start: int, end: int) -> str:
    line = text[text.rfind("\n", 0, start) + 1 :].split("\n", 1)[0]
    if not is_table_row(line):
        return f"{text[:end]} {said}{text[end:]}"
    match = _PARAGRAPH_END.search(text, end)
    assert match is not None, "the end of the text ends a paragraph"
    return f"{text[: match.start()]}\n\n{said}{text[match.start() :]}"
