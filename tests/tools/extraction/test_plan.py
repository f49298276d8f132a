from __future__ import annotations

from typing import Any

from tools.extraction.plan import Absent, Settled, plan
from tools.extraction.readers.source import Source
from tools.extraction.schemas import resolve_schema


def read(schema: str | dict[str, Any], text: str) -> dict[str, object]:
    """The settled values by path."""
    decisions = plan(resolve_schema(schema), Source(text), "readers")
    return {
        path: one.proposal.candidate.value if isinstance(one, Settled) else None for path, (_, one) in decisions.items()
    }


def custom(**fields: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string", "format": form} if form else {"type": "string"}
                                             for name, form in fields.items()}}  # fmt: skip


def test_a_longer_label_of_a_sibling_is_not_this_fields_label() -> None:
    found = read(custom(date="date", due_date="date"), "Due date: 4 May 2026\n")
    assert found == {"date": None, "due_date": "2026-05-04"}


def test_what_stands_beside_another_fields_label_is_not_guessed_for_this_one() -> None:
    text = "INVOICE\nInvoice no: A-17\n\nBill to:\nNorfield Payments GmbH\n\nTotal due 20.00 EUR\n"
    found = read("invoice", text)
    assert found["customer"] == "Norfield Payments GmbH"
    assert found["supplier"] is None


def test_a_guess_heeds_the_words_before_it() -> None:
    text = "CORNER SHOP\n12 Hill Road\nTea 2.00\nTotal 2.00\nOffer valid until 4 May 2026\n"
    assert read("receipt", text)["date"] is None
    assert read("receipt", text.replace("Offer valid until ", ""))["date"] == "2026-05-04"


def test_a_short_receipt_is_a_receipt_and_a_contract_is_none() -> None:
    receipt = "CORNER SHOP\n4 May 2026\nTea 2.00\nPie 3.00\nTo pay 5.00\n"
    contract = (
        'SUPPLY AGREEMENT\n\nThis Agreement is made on 4 May 2026 between Acme Ltd (the "Supplier") and Borg AB (the '
        '"Buyer"). It is governed by the laws of Sweden. Either party may terminate it.\n'
    )
    assert read("receipt", receipt)["total"] == 5.0
    decisions = plan(resolve_schema("receipt"), Source(contract), "readers")
    assert all(isinstance(one, Absent) for _, one in decisions.values())
