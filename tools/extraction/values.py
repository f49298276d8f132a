"""From a candidate to the value of a field: its form, its evidence, and the schema's own constraints."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from tools.extraction.confidence import confidence_of
from tools.extraction.fields import Leaf
from tools.extraction.grounding import evidence
from tools.extraction.readers.source import Candidate, Source
from tools.extraction.results import ExtractedValue, Method, Reason


def null(reason: Reason) -> ExtractedValue:
    """An honest null."""
    return ExtractedValue(None, reason=reason)


def is_valid(value: Any, schema: Any) -> bool:
    """Whether a value satisfies the field's part of the schema."""
    return Draft202012Validator(schema).is_valid(value)  # pyright: ignore[reportUnknownMemberType]


def _shaped(leaf: Leaf, candidate: Candidate, source: Source) -> Any:
    value = candidate.value
    wanted = leaf.schema.get("type", "string")
    if leaf.kind in ("enum", "boolean"):
        return value
    if wanted in ("number", "integer"):
        if isinstance(value, str):
            return None
        return int(value) if wanted == "integer" and float(value).is_integer() else value
    if wanted != "string":
        return None
    if leaf.verbatim or not isinstance(value, str):
        return " ".join(source.text[candidate.start : candidate.end].split())
    return value


def value_of(leaf: Leaf, candidate: Candidate, source: Source, confidence: float, method: Method) -> ExtractedValue:
    """The candidate as the field's value; null with `violates_schema` where the schema's constraints forbid it.

    `confidence` is the model's probability or a reader's score, which is turned into one.
    """
    value = _shaped(leaf, candidate, source)
    if value is None or not is_valid(value, leaf.schema):
        return null("violates_schema")
    place = evidence(source.text, candidate.start, candidate.end)
    stated = confidence_of(confidence) if method == "reader" else confidence
    return ExtractedValue(value, place, round(min(1.0, max(0.0, stated)), 4), None, method)
