"""What is compared: plain regular expressions, the deterministic readers alone, and the product with its model."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from jsonschema import Draft202012Validator

from eval.extraction import plain_regex
from eval.extraction.documents import Gold, LabelledDocument, Scalar
from eval.extraction.scoring import letters
from tools.errors import ModelUnavailableError
from tools.extraction import ExtractedValue, ExtractionResult, extract, resolve_schema
from tools.extraction.plan import Arbiter
from tools.ports import ChatModel, ChatRequest, Completion


@dataclass(frozen=True)
class Reading:
    """What a system read: values by path as in the gold, its confidence in them, and how it went."""

    values: Mapping[str, Gold]
    confidence: Mapping[str, float] = field(default_factory=dict[str, float])
    unlocated: int = 0
    """Values that do not stand in the document at their evidence."""
    valid: bool = True
    seconds: float = 0.0


class System(Protocol):
    """Reads a document into its schema."""

    @property
    def name(self) -> str:
        """The row's name."""
        ...

    async def read(self, document: LabelledDocument) -> Reading:
        """The document's values."""
        ...


@dataclass(frozen=True)
class PlainRegex:
    """A page of regular expressions."""

    name: str = "plain regex"

    async def read(self, document: LabelledDocument) -> Reading:
        """See `System`."""
        started = time.perf_counter()
        values = plain_regex.read(document.schema, document.text)
        return Reading(values, seconds=time.perf_counter() - started)


class NoModel:
    """A model that never answers: what is left is what the readers read."""

    name, supports_grammar, adapter = "none", False, None

    async def complete(self, request: ChatRequest) -> Completion:
        """See `ChatModel`."""
        raise ModelUnavailableError("There is no model in this evaluation.")

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | Completion]:
        """See `ChatModel`."""
        yield await self.complete(request)


@dataclass(frozen=True)
class Extractor:
    """`extract` with a model and an arbiter."""

    name: str
    model: ChatModel
    arbiter: Arbiter = "readers"

    async def read(self, document: LabelledDocument) -> Reading:
        """See `System`."""
        schema = resolve_schema(document.schema)
        started = time.perf_counter()
        result = await extract(document.text, schema, self.model, arbiter=self.arbiter)
        seconds = time.perf_counter() - started
        valid = Draft202012Validator(schema.output_schema).is_valid(result.data)
        unlocated = sum(not stands(value, document.text) for value in result.fields.values())
        confidence = {path: value.confidence for path, value in result.fields.items() if value.value is not None}
        return Reading(_values(result), confidence, unlocated, valid, seconds)


def _values(result: ExtractionResult) -> dict[str, Gold]:
    values: dict[str, Gold] = {}
    columns: defaultdict[str, list[Scalar]] = defaultdict(list)
    for path, value in result.fields.items():
        column = re.sub(r"\[\d+\]", "[]", path)
        if column == path:
            values[path] = value.value
        elif value.value is not None:
            columns[column].append(value.value)
    return values | {column: tuple(cells) for column, cells in columns.items()}


def stands(value: ExtractedValue, text: str) -> bool:
    """Whether a value is null or was read from its evidence: the quote stands at its place and, for text and numbers,
    says the value."""
    if value.value is None:
        return True
    place = value.evidence
    if place is None or not place.quote or text[place.start : place.end] != place.quote:
        return False
    if isinstance(value.value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d\S*|[A-Z]{3}|\d+ [a-z ]+", value.value):
        return letters(value.value) in letters(place.quote)
    return True
