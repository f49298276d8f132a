"""Wordings and layouts as contracts and receipts of the world have them, written by hand, on two sides.

A side (`train.yaml`, `held_out.yaml`) has `clauses` of contracts and lines of receipts, each with the `value` of one
`field` and put into one of the `frames` of its kind, and whole `documents` of every kind with their gold, lists for
the cells of arrays. Only the fields that are named are scored.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict

from eval.extraction.documents import LabelledDocument
from eval.extraction.generator import Side


class _Clause(BaseModel):
    model_config = ConfigDict(extra="forbid")
    schema_name: str
    field: str
    value: str | None
    text: str


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")
    schema_name: str
    gold: dict[str, str | float | list[str | float] | None]
    text: str


class _Wordings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    frames: dict[str, list[str]]
    clauses: list[_Clause]
    documents: list[_Document]


def wordings(side: Side) -> Iterator[LabelledDocument]:
    """The documents of a side, those with clauses first; every frame takes clauses in turn."""
    file = resources.files(__name__).joinpath(f"{side}.yaml")
    read = _Wordings.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    for number, clause in enumerate(read.clauses):
        name = f"{side}-clause-{number}"
        frames = read.frames[clause.schema_name]
        text = frames[number % len(frames)].replace("{clause}", clause.text)
        yield LabelledDocument(name, clause.schema_name, text, {clause.field: clause.value}, name)
    for number, one in enumerate(read.documents):
        name = f"{side}-document-{number}"
        gold = {path: tuple(value) if isinstance(value, list) else value for path, value in one.gold.items()}
        yield LabelledDocument(name, one.schema_name, one.text, gold, name)
