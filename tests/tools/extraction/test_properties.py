"""Random schemas and documents: the answer always has the schema's shape and stands in the text.

`EXTRACTION_EXAMPLES=1000` in the environment tries that many of them.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from eval.extraction.generator import generate
from eval.extraction.systems import stands
from tests.tools.extraction import documents
from tests.tools.extraction.models import LastOptionModel
from tools.extraction import extract, resolve_schema
from tools.extraction.fields import words_of
from tools.extraction.records import BUILT_IN

NAMES = st.sampled_from(
    "total invoice_date invoiceNumber supplier customer email notes quantity paid state iban currency due_date "
    "address phone term items city "
    "unit_price weight is_paid reference person_name".split()
) | st.text(min_size=1, max_size=12)
LEAVES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({"type": "string"}), st.just({"type": ["string", "null"]}), st.just({"type": "number"}),
    st.just({"type": "integer", "minimum": 2}),
    st.just({"type": "boolean"}), st.just({"type": "string", "format": "date"}), st.just({"type": "string",
        "format": "email"}),
    st.just({"type": "string", "maxLength": 5}), st.just({"type": "string", "pattern": "^[A-Z]"}),
    st.just({"type": "number", "multipleOf": 0.5}),
    st.just({"type": "string", "minLength": 9, "maxLength": 3}), st.just({}), st.just({"type": "null"}),
    st.builds(lambda options: {"enum": options}, st.lists(st.sampled_from(["EUR", "total", "paid", None, 3, True,
        "in_store", "x y"]), min_size=1, unique=True)),
    st.just({"anyOf": [{"type": "number"}, {"type": "null"}]}), st.just({"const": "EUR"}),
)  # fmt: skip


def objects(children: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    def build(properties: dict[str, dict[str, Any]], count: int) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties)[:count],
            "additionalProperties": False,
        }

    return st.builds(build, st.dictionaries(NAMES, children, min_size=1, max_size=5), st.integers(0, 5))


def arrays(children: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda items, low, unique: {"type": "array", "items": items, "minItems": low,
        "uniqueItems": unique, "maxItems": low + 3},
                     children, st.integers(0, 2), st.booleans())  # fmt: skip


def referring(children: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A definition that two members of an object refer to."""

    def build(part: dict[str, Any], names: list[str]) -> dict[str, Any]:
        members = {name: {"$ref": "#/$defs/part"} for name in names}
        return {"type": "object", "properties": members, "$defs": {"part": part}}

    return st.builds(build, children, st.lists(NAMES, min_size=1, max_size=2, unique=True))


NESTED = st.recursive(LEAVES, lambda inner: objects(inner) | arrays(inner), max_leaves=6)
SCHEMAS = objects(NESTED) | referring(NESTED)
EXAMPLES = int(os.environ.get("EXTRACTION_EXAMPLES", "150"))
PIECES = st.sampled_from(
    [
        "Total: 12.50", "Paid: yes", "invoice date: 4 May 2026", "Supplier: Acme Ltd", "email a@b.example",
        "IBAN NL91 ABNA 0417 1643 00", "state: in store",
        "| Quantity | Unit price |\n| 2 | 3.00 |\n| 4 | 1.50 |", "Customer:\nMaria Oliveira",
        "city: Oslo, term: 3 years", "EUR", "notes -", "paid 3", documents.RECEIPT,
    ]
)  # fmt: skip
GENERATED = st.sampled_from([one.text for side in ("train", "held_out") for one in generate(side, 40, 8)])
TEXTS = st.lists(PIECES | st.text(max_size=30), max_size=8).map("\n".join) | GENERATED


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schema=SCHEMAS, text=TEXTS, model_text=st.sampled_from(["Acme Ltd", "Oslo", "nowhere at all"]))
async def test_answers_fit_the_schema_and_stand_in_the_text(schema: dict[str, Any], text: str, model_text: str) -> None:
    resolved = resolve_schema(schema)
    for arbiter in ("readers", "model"):
        result = await extract(text, resolved, LastOptionModel(text=model_text), arbiter=arbiter)
        Draft202012Validator(resolved.output_schema).validate(result.data)
        for value in result.fields.values():
            assert (value.value is None) == (value.evidence is None)
            if value.evidence:
                assert text[value.evidence.start : value.evidence.end] == value.evidence.quote != ""


@given(st.text(max_size=30))
def test_names_become_words(name: str) -> None:
    assert words_of(name) == words_of(name).strip().lower()


@settings(max_examples=EXAMPLES, deadline=None)
@given(text=GENERATED, kind=st.sampled_from(list(BUILT_IN)), model_text=st.sampled_from(["Acme Ltd", "nowhere at all"]))
async def test_documents_of_any_kind_in_any_schema_are_valid_and_located(text: str, kind: str, model_text: str) -> None:
    schema = resolve_schema(kind)
    result = await extract(text, schema, LastOptionModel(text=model_text))
    Draft202012Validator(schema.output_schema).validate(result.data)
    assert all(stands(value, text) for value in result.fields.values())
