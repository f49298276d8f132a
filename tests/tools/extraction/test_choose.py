from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.extraction import documents
from tests.tools.extraction.documents import DOCUMENTS
from tools.extraction.choose import (
    Thresholds,
    choose_schema,
    document_of,
    pasted_schema,
    schema_of_message,
    split_request,
    thresholds,
)
from tools.extraction.kinds import KINDS, affinity
from tools.extraction.records import BUILT_IN

TAX_INVOICE_SLIP = """\
PASAR SEGAR SDN BHD
12 JALAN BESAR, 43000 KAJANG
GST ID: 001234567890
TAX INVOICE
Invoice No: CS00031663
25/12/2018 12:31
RICE 5KG
1 22.50
TOTAL 22.50
CASH 50.00
CHANGE 27.50
"""
ARTICLE = """\
The treaty was an agreement between the two kingdoms. Both parties kept it for eighty years, and the laws of the sea
that it laid down were copied by others. Historians dispute who wrote it. It was terminated in 1654.
"""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (documents.CONTRACT, "contract"), (documents.INVOICE, "invoice"), (documents.RECEIPT, "receipt"),
        (documents.LETTER, "dispute_letter"),
        (documents.TRANSACTION, "transaction"), ("The weather was fine and the sea calm.", None), ("", None),
    ],
)  # fmt: skip
def test_a_schema_is_chosen_by_what_the_document_looks_like(text: str, name: str | None) -> None:
    assert choose_schema(text, "please extract the fields") == name


def test_the_words_of_the_request_come_first() -> None:
    assert choose_schema(documents.RECEIPT, "read this invoice") == "invoice"
    assert choose_schema("", "what is in it?") is None


def test_there_are_features_of_every_built_in_schema() -> None:
    assert set(KINDS) == set(BUILT_IN)


@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.parametrize("instruction", ["Extract the fields of this document:", "Read this and give me the data."])
def test_pasted_and_attached_documents_are_known(kind: str, instruction: str) -> None:
    text = DOCUMENTS[kind]
    assert schema_of_message(f"{instruction}\n\n{text}") == kind
    assert schema_of_message(f"{text}\n{instruction}") == kind
    assert schema_of_message(instruction, text) == kind


def test_the_words_of_a_pasted_document_are_not_the_users() -> None:
    assert schema_of_message(f"Extract the fields:\n\n{TAX_INVOICE_SLIP}") == "receipt"
    assert schema_of_message(f"Extract the fields of this invoice:\n\n{TAX_INVOICE_SLIP}") == "invoice"
    assert schema_of_message("Which fields does this invoice have?", TAX_INVOICE_SLIP) == "invoice"


def test_a_text_that_is_none_of_the_kinds_is_asked_about() -> None:
    assert schema_of_message("Extract the fields, please.", ARTICLE) is None
    assert schema_of_message(f"Please extract the data:\n\n{ARTICLE}") is None


@pytest.mark.parametrize(
    "slip",
    [
        "Bäckerei Korn\nKassenbon Nr. 12\n03.05.2024 09:12\n2 Brezel 3,00\nSumme EUR 3,00\nBar 5,00\nRückgeld 2,00",
        "CAFÉ DU PORT\nTicket de caisse\n03/05/2024 09:12\n2 cafés 5,00\nTotal TTC 5,00\nEspèces 5,00\nMerci",
        "BAR SOL\nFactura simplificada 12\n03/05/2024 09:12\n2 cafés 3,00\nTotal 3,00\nEfectivo 3,00\nGracias",
    ],
)
def test_receipts_in_other_languages_are_known(slip: str) -> None:
    assert schema_of_message("Get me everything that is in here", slip) == "receipt"


def test_an_instruction_in_one_line_ends_at_its_colon() -> None:
    request = split_request(f"Extract this: {'a sale of five pears, ' * 20}")
    assert request.words == "Extract this"


@pytest.mark.parametrize(
    ("message", "document"),
    [
        ("Extract the fields of this receipt: KOFI MINIMART\nBread 2.00", "KOFI MINIMART\nBread 2.00"),
        ("Could you please read this:  ACME Ltd", "ACME Ltd"),
        ("Extract the fields:\nKOFI MINIMART", "Extract the fields:\nKOFI MINIMART"),
        ("Invoice number: 77\nGet it: paid", "Invoice number: 77\nGet it: paid"),
    ],
)
def test_an_order_that_runs_on_is_not_part_of_the_document(message: str, document: str) -> None:
    assert document_of(message) == document


@given(st.text(max_size=400))
def test_any_message_can_be_split_and_read(message: str) -> None:
    request = split_request(message)
    assert request.words in message
    assert schema_of_message(message) in {*BUILT_IN, None}


def test_a_winner_needs_enough_and_a_lead() -> None:
    asked = Thresholds(3.0, 1.0)
    assert asked.winner({"a": 3.0, "b": 2.0}) == "a"
    assert asked.winner({"a": 2.5, "b": 0.0}) is None
    assert asked.winner({"a": 3.5, "b": 3.0}) is None
    assert thresholds().enough > 0


def test_long_prose_is_no_receipt() -> None:
    assert affinity(ARTICLE * 30)["receipt"] < thresholds().enough


def test_a_pasted_schema_is_told_from_the_message() -> None:
    schema = '{"type": "object", "properties": {"a": {"type": "string"}}}'
    found = pasted_schema(f"Read {{this}} {{}} into\n```json\n{schema}\n```\nA: tea")
    assert found is not None
    assert found.schema == {"type": "object", "properties": {"a": {"type": "string"}}}
    assert found.rest == "Read {this} {} into\n\nA: tea"


@pytest.mark.parametrize("message", ["", "{", '{"type": "object"}', '{"properties": 1}', "{" * 5000, '{"a":' * 5000])
def test_what_is_no_schema(message: str) -> None:
    assert pasted_schema(message) is None
