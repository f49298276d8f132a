from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tools.errors import InputError
from tools.extraction.fields import leaves
from tools.extraction.records import BUILT_IN, Invoice, Receipt
from tools.extraction.schemas import MAX_FIELDS, resolve_schema


def wrapped(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_field_has_a_reading(name: str) -> None:
    schema = resolve_schema(name)
    assert schema.name == name
    assert schema.root.required == schema.root.members.keys() == BUILT_IN[name].model_fields.keys()


def test_records_check_their_values() -> None:
    assert Receipt(date="2026-03-04", currency="EUR").total is None
    for wrong in ({"date": "4 March"}, {"currency": "EURO"}, {"surplus": 1}):
        with pytest.raises(ValidationError):
            Receipt.model_validate(wrong)
    with pytest.raises(ValidationError):
        Invoice(iban="NL92ABNA0417164300")


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        ("passport", "unknown_schema"),
        ({"type": 12}, "invalid_schema"),
        ({"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}}, "invalid_schema"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/none"}}}, "invalid_schema"),
        ({"type": "object", "required": ["b"], "properties": {}, "additionalProperties": False}, "invalid_schema"),
        ({"type": "object", "properties": {"a": object()}}, "invalid_schema"),
        ({"type": "array", "items": {"type": "string"}}, "unsupported_schema"),
        ({"type": "object"}, "unsupported_schema"),
        ({"type": "object", "properties": {"child": {"$ref": "#"}}}, "unsupported_schema"),
        ({"type": "object", "properties": {"a": {"$ref": "https://example.org/s.json"}}}, "unsupported_schema"),
        ({"type": "object", "properties": {"a": {"not": {"type": "string"}}}}, "unsupported_schema"),
        ({"type": "object", "properties": {"a": {"type": "string", "pattern": "(a+)+$"}}}, "unsupported_schema"),
        ({"type": "object", "properties": {f"f{n}": {} for n in range(MAX_FIELDS + 1)}}, "unsupported_schema"),
        (
            {"type": "object", "properties": {"a": {"type": "string", "description": "x" * 70_000}}},
            "unsupported_schema",
        ),
        (wrapped(2000), "unsupported_schema"),
    ],
    ids=lambda value: value if isinstance(value, str) else "schema",
)
def test_schemas_that_cannot_be_read_are_refused_with_a_code(schema: Any, code: str) -> None:
    with pytest.raises(InputError) as refused:
        resolve_schema(schema)
    assert refused.value.code == code


def test_doubling_references_are_refused_before_they_unfold() -> None:
    definitions = {
        f"d{n}": {"type": "object", "properties": {s: {"$ref": f"#/$defs/d{n + 1}"} for s in "ab"}} for n in range(20)
    }
    with pytest.raises(InputError, match="unfolds"):
        resolve_schema({"type": "object", "$defs": {**definitions, "d20": {"type": "object"}}, "$ref": "#/$defs/d0"})


def test_references_unions_and_nesting_are_read() -> None:
    schema = resolve_schema(
        {
            "title": "Order",
            "type": "object",
            "$defs": {"money": {"type": "number"}},
            "properties": {
                "orderDate": {"type": "string", "format": "date"},
                "price": {"$ref": "#/$defs/money"},
                "tax": {"$ref": "#/$defs/money"},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                "buyer": {"type": "object", "properties": {"email": {"type": ["string", "null"]}}},
                "state": {"enum": ["open", "closed"]},
            },
            "required": ["price"],
        }
    )
    kinds = {path: leaf.kind for path, leaf in leaves(schema.root)}
    assert kinds == {
        "orderDate": "date",
        "price": "amount",
        "tax": "amount",
        "note": "text",
        "buyer.email": "email",
        "state": "enum",
    }
    assert schema.name == "Order"
    assert dict(leaves(schema.root))["note"].nullable
