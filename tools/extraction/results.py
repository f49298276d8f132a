"""What an extraction answers with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tools.ports import Usage

Reason = Literal["not_found", "low_confidence", "violates_schema", "model_truncated", "invalid_checksum"]
Method = Literal["reader", "model"]


@dataclass(frozen=True)
class Evidence:
    """Where a value stands: `text[start:end] == quote`."""

    start: int
    end: int
    quote: str


@dataclass(frozen=True)
class ExtractedValue:
    """A value with its evidence, or null with the reason. `confidence` is in [0, 1]; 0 for a null."""

    value: Any
    evidence: Evidence | None = None
    confidence: float = 0.0
    reason: Reason | None = None
    method: Method | None = None
    """Whether a deterministic reading stood or the model chose; `None` for a null."""


@dataclass(frozen=True)
class ExtractionResult:
    """A document read into a schema.

    `data` has the schema's shape, `fields` maps the path of every leaf, such as `line_items[0].amount`, to its value.
    `model` names the model that was asked, or says `readers` where none was; `prompt` is the version that asked it.
    """

    schema_name: str
    data: dict[str, Any]
    fields: Mapping[str, ExtractedValue]
    warnings: Sequence[str]
    model: str
    usage: Usage
    degraded: bool = False
    prompt: str | None = None
