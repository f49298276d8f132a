"""Corrections: what a person says a value is, in the field's form and with its place in the text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.errors import InputError
from tools.extraction.corrections import Claim, CorrectedValue, correct
from tools.extraction.schemas import resolve_schema

TEXT = """Castle Paper Ltd

Invoice number: INV-2041
Invoice date: 03/05/2026
Due date: 2 June 2026

Pens        2    1.50    3.00
Paper       3    1.00    3.00

Subtotal: 6.00
Total: 1,206.00 EUR
IBAN: DE24 8605 0000 0031 4159 26
"""
OWN = resolve_schema(
    {
        "type": "object",
        "title": "invoice",
        "properties": {
            "a.b": {"type": "string"},
            "a": {"type": "object", "properties": {"b": {"type": "integer"}, "[0]": {"type": "string"}}},
            "paid": {"type": "boolean"},
            "state": {"enum": ["open", "closed", None]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
            "due_date": {"type": "string"},
        },
    }
)


def corrected(path: str, value: Any, schema: Any = "invoice", **claim: Any) -> CorrectedValue:
    resolved = resolve_schema(schema) if isinstance(schema, str) else schema
    return correct(resolved, path, Claim(value, **claim), TEXT)


def quote(found: CorrectedValue) -> str | None:
    if found.evidence is None:
        return None
    assert TEXT[found.evidence.start : found.evidence.end] == found.evidence.quote
    return found.evidence.quote


@pytest.mark.parametrize(
    ("path", "given", "value", "place"),
    [
        ("total", "1,206.00 EUR", 1206.0, "1,206.00 EUR"),
        ("total", "1206", 1206.0, "1,206.00 EUR"),
        ("total", 1206, 1206, "1,206.00 EUR"),
        ("subtotal", 6, 6, "6.00"),
        ("invoice_number", "inv-2041", "inv-2041", "INV-2041"),
        ("due_date", "2026-06-02", "2026-06-02", "2 June 2026"),
        ("due_date", "2 June 2026", "2026-06-02", "2 June 2026"),
        ("currency", "eur", "EUR", "EUR"),
        ("supplier", " Castle  Paper Ltd", "Castle Paper Ltd", "Castle Paper Ltd"),
        ("iban", "DE24 8605 0000 0031 4159 26", "DE24860500000031415926", "DE24 8605 0000 0031 4159 26"),
        ("line_items[1].description", "Paper", "Paper", "Paper"),
        ("tax", None, None, None),
    ],
)
def test_a_value_is_brought_into_form_and_located(path: str, given: Any, value: Any, place: str | None) -> None:
    found = corrected(path, given)
    assert (found.value, quote(found)) == (value, place)
    assert type(found.value) is type(value)


def test_of_equal_values_that_of_the_field_s_record_is_meant() -> None:
    second = TEXT.index("Paper ", TEXT.index("Pens"))
    found = corrected("line_items[1].amount", "3.00", near=second)
    assert found.evidence is not None
    assert found.evidence.start > second


def test_words_that_it_was_read_from_are_taken() -> None:
    found = corrected("customer", "The Castle", quote="Castle paper  Ltd")
    assert quote(found) == "Castle Paper Ltd"


def test_what_stands_nowhere_must_be_marked() -> None:
    with pytest.raises(InputError, match="stands nowhere in the text") as caught:
        corrected("customer", "Nobody Inc")
    assert (caught.value.code, caught.value.details) == ("not_in_text", {"field": "customer"})
    assert corrected("customer", "Nobody Inc", verbatim=False) == CorrectedValue("Nobody Inc", None)
    with pytest.raises(InputError) as caught:
        corrected("customer", "Nobody Inc", verbatim=False, quote="Nobody")
    assert caught.value.code == "quote_not_found"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("total", "much"),
        ("total", True),
        ("due_date", "2026-13-45"),
        ("due_date", 7),
        ("currency", "XXX"),
        ("iban", "DE00 1"),
    ],
)
def test_what_the_record_forbids_is_refused(path: str, value: Any) -> None:
    with pytest.raises(InputError) as caught:
        corrected(path, value, verbatim=False)
    assert (caught.value.code, caught.value.details) == ("violates_schema", {"field": path})


@pytest.mark.parametrize(
    "path",
    ["", "poem", "line_items", "line_items[0]", "line_items[].amount", "line_items[0].poem", "total.x", "total[0]"],
)
def test_what_is_no_value_of_the_schema_is_refused(path: str) -> None:
    with pytest.raises(InputError) as caught:
        corrected(path, "x")
    assert caught.value.code == "unknown_field"


@pytest.mark.parametrize(
    ("path", "given", "value"),
    [
        ("a.b", "Pens", "Pens"),
        ("a.[0]", "Pens", "Pens"),
        ("paid", "Yes", True),
        ("paid", False, False),
        ("state", "CLOSED", "closed"),
        ("tags[3]", "Pens", "Pens"),
        # A schema of one's own keeps text as it is written.
        ("due_date", "2 June 2026", "2 June 2026"),
    ],
)
def test_a_schema_of_ones_own(path: str, given: Any, value: Any) -> None:
    assert corrected(path, given, OWN, verbatim=False).value == value


@pytest.mark.parametrize(("path", "value"), [("code", "Pens"), ("state", "lost"), ("paid", "perhaps"), ("a.c", "x")])
def test_a_schema_of_ones_own_is_kept_to(path: str, value: Any) -> None:
    with pytest.raises(InputError):
        corrected(path, value, OWN, verbatim=False)


@given(
    path=st.text(), value=st.one_of(st.text(), st.integers(-(2**63), 2**63), st.booleans(), st.floats(allow_nan=False))
)
def test_anything_else_is_a_located_value_or_an_input_error(path: str, value: Any) -> None:
    for schema in (resolve_schema("invoice"), OWN):
        for field in (path, "total", "due_date", "a.b", "paid", "line_items[0].quantity"):
            try:
                found = correct(schema, field, Claim(value), TEXT)
            except InputError:
                continue
            assert quote(found) is not None
