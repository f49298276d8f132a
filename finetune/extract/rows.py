"""Rows of passages with fields and their answers, and how the model is shown them: by the code that asks it in use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from finetune.errors import RowsError
from finetune.rows import read_text
from tools.extraction.ask import request
from tools.extraction.fields import infer_leaf
from tools.extraction.plan import Open
from tools.extraction.readers.source import Source

_NO_WINDOW = 1_000_000
"""Passages are shown whole: whoever makes the rows has cut them."""
_HELD_OUT_EVERY = 20


class AskedField(BaseModel):
    """A field of a schema. Its `answer` is the passage's own words on one line, None where it does not say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    description: str = ""
    answer: str | None


class FieldRow(BaseModel):
    """What is asked of one passage. Rows of one `document` are never split."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: str
    passage: str = Field(min_length=1)
    fields: tuple[AskedField, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _verbatim(self) -> Self:
        text = " ".join(self.passage.split())
        for field in self.fields:
            if field.answer is not None and " ".join(field.answer.split()) not in text:
                raise ValueError(f"the answer of {field.name!r} does not stand in the passage")
        return self


@dataclass(frozen=True)
class Example:
    """A row as token ids: those of the whole prompt, and those of the answer with its end."""

    prompt: list[int]
    answer: list[int]

    @property
    def length(self) -> int:
        """Tokens in all."""
        return len(self.prompt) + len(self.answer)


def read_field_rows(files: Sequence[Path]) -> list[FieldRow]:
    """Read JSON lines with document, passage and fields.

    Raises:
        RowsError: a file cannot be read, or rows are unusable (all of a file are listed).
    """
    rows: list[FieldRow] = []
    for path in files:
        wrong: dict[int, str] = {}
        for number, line in enumerate(filter(str.strip, read_text(path).split("\n")), 1):
            try:
                rows.append(FieldRow.model_validate_json(line))
            except ValidationError as error:
                wrong[number] = error.errors()[0]["msg"]
        if wrong:
            raise RowsError(f"{path} has unusable rows.", wrong)
    if not rows:
        raise RowsError("There are no rows to learn from.")
    return rows


def split(rows: Sequence[FieldRow]) -> tuple[list[FieldRow], list[FieldRow]]:
    """Rows to train on and rows to validate with, by their documents, the same for the same rows."""
    documents = sorted({row.document for row in rows}, key=lambda name: hashlib.sha256(name.encode()).digest())
    kept_out = set(documents[::_HELD_OUT_EVERY]) if len(documents) > 1 else set[str]()
    return [row for row in rows if row.document not in kept_out], [row for row in rows if row.document in kept_out]


def messages_of(row: FieldRow) -> list[dict[str, str]]:
    """The prompt as `tools.extraction.ask` puts it."""
    fields = {
        field.name: Open(
            infer_leaf(field.name, {"type": "string", "description": field.description}, "string", nullable=True), ()
        )
        for field in row.fields
    }
    asked = request(Source(row.passage), fields, _NO_WINDOW)
    return [{"role": message.role, "content": message.content} for message in asked.messages]


def answer_of(row: FieldRow) -> str:
    """The right reply."""
    return json.dumps({field.name: field.answer for field in row.fields}, ensure_ascii=False)


def examples(tokenizer: Any, rows: Sequence[FieldRow], max_length: int) -> list[Example]:
    """The rows as token ids.

    Raises:
        RowsError: rows have more than `max_length` tokens; cutting would cut the answer off.
    """
    shown = [_example(tokenizer, row) for row in rows]
    too_long = {number: f"{one.length} tokens" for number, one in enumerate(shown, 1) if one.length > max_length}
    if too_long:
        raise RowsError(f"{len(too_long)} rows have more than {max_length} tokens.", too_long, code="over_length")
    return shown


def _example(tokenizer: Any, row: FieldRow) -> Example:
    rendered: str = tokenizer.apply_chat_template(messages_of(row), tokenize=False, add_generation_prompt=True)
    prompt = cast("list[int]", tokenizer(rendered, add_special_tokens=False)["input_ids"])
    answer = cast("list[int]", tokenizer(answer_of(row), add_special_tokens=False)["input_ids"])
    return Example(prompt, [*answer, tokenizer.eos_token_id])
