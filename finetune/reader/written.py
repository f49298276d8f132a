"""Rows of our own: rules, manuals and terms put down by hand, with questions as staff and customers ask them.

Public reading sets ask about articles. These documents show the reader how questions about procedures are put, and what
near misses look like there: another role, currency, product or limit than the passage speaks of.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from finetune.reader.rows import ReadingRow

WRITTEN = Path(__file__).with_name("written")
WRITTEN_SOURCE = "finetune/reader/written: this repository; Apache-2.0"


class _Question(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    ask: str
    answer: str


class _Passage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    questions: list[_Question]
    near_misses: list[str]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    passages: list[_Passage]


def written_rows(folder: Path = WRITTEN) -> list[ReadingRow]:
    """Every question of every document, in the order of the files."""
    rows: list[ReadingRow] = []
    for path in sorted(folder.glob("*.yaml")):
        document = _Document.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        for passage in document.passages:
            about: dict[str, Any] = {"title": document.title, "passage": passage.text}
            asked = passage.questions
            rows += [ReadingRow(**about, question=one.ask, answerable=True, answers=(one.answer,)) for one in asked]
            rows += [ReadingRow(**about, question=question, answerable=False) for question in passage.near_misses]
    return rows
