"""Corrections over HTTP: of a run's answer, of a document, of a text; refused where nothing says so."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.server.errors import assert_error
from tests.server.keyed import Keyed
from tests.server.site import Site

INVOICE = """INVOICE

Invoice number: INV-2041
Invoice date: 3 May 2026
Supplier: Castle Paper Ltd

Total: 120.50 EUR
"""
OWN = {"type": "object", "title": "ticket", "properties": {"number": {"type": "string"}, "seats": {"type": "integer"}}}


def correct(http: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = http.post("/extract/corrections", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def field(value: Any, **more: Any) -> dict[str, Any]:
    return {"value": value, **more}


def stored(http: httpx.Client) -> list[dict[str, Any]]:
    """All corrections, over pages of a few."""
    found: list[dict[str, Any]] = []
    while True:
        page = http.get("/extract/corrections", params={"limit": 3, "offset": len(found)}).json()
        found += page["corrections"]
        if not page["corrections"]:
            assert len(found) == page["total"]
            return found


def of_run(site: Site, **fields: Any) -> dict[str, Any]:
    """The result of a turn that read an invoice."""
    result = site.chat(f"Extract the invoice\n\n{INVOICE}", **fields)
    assert result["extraction"]["schema"] == "invoice", result
    return result


def test_a_run_s_fields_are_corrected_with_their_places(site: Site) -> None:
    result = of_run(site, thread_id="corrected")
    told = correct(
        site.http,
        run_id=result["run_id"],
        fields={"issue_date": field("3 May 2026"), "customer": field("Castle Paper Ltd"), "total": field(None)},
    )
    assert (told["run_id"], told["schema"]) == (result["run_id"], "invoice")
    date = told["fields"]["issue_date"]
    assert (date["value"], date["evidence"]["quote"], date["verbatim"]) == ("2026-05-03", "3 May 2026", True)
    text = f"Extract the invoice\n\n{INVOICE}"
    assert text[date["evidence"]["start"] : date["evidence"]["end"]] == "3 May 2026"
    assert told["fields"]["total"] == {"value": None, "evidence": None, "verbatim": True}
    turn = site.http.get("/threads/corrected").json()["turns"][0]
    assert turn["corrections"] == told["fields"]
    assert turn["result"]["extraction"]["data"]["total"] == 120.5, "the answer stays as it was given"
    rows = {row["field"]: row for row in stored(site.http) if row["run_id"] == result["run_id"]}
    assert rows["total"]["extracted"] == {"value": 120.5}
    assert rows["customer"]["extracted"] == {"value": None}
    assert "Total: 120.50 EUR" in rows["total"]["passage"]


def test_a_second_correction_replaces_the_first(site: Site) -> None:
    run_id = of_run(site, thread_id="twice")["run_id"]
    for value in ("Nobody", "INV-2041"):
        correct(site.http, run_id=run_id, fields={"invoice_number": field(value, verbatim=False)})
    (row,) = [row for row in stored(site.http) if row["run_id"] == run_id]
    assert (row["value"], row["verbatim"], row["evidence"]) == ("INV-2041", False, None)


def test_a_document_and_a_text_are_corrected_with_what_had_been_read(site: Site) -> None:
    site.add({"id": "inv/77", "title": "Invoice", "text": INVOICE, "collection": "invoices"})
    read = site.http.post("/extract", json={"document_id": "inv/77", "schema": "invoice"}).json()["fields"]["total"]
    told = correct(
        site.http,
        document_id="inv/77",
        schema="invoice",
        fields={"total": field(120.5, extracted=read)},
    )
    assert (told["document_id"], told["run_id"]) == ("inv/77", None)
    told = correct(site.http, text="Seats: 4\nTicket 7", schema=OWN, fields={"seats": field("4")})
    assert told["schema"] == "ticket"
    assert told["fields"]["seats"]["value"] == 4
    rows = stored(site.http)
    assert [row["extracted"] for row in rows if row["document_id"] == "inv/77"] == [{"value": 120.5}]
    assert [row["extracted"] for row in rows if row["schema"] == "ticket"] == [None]


def test_a_document_takes_its_corrections_along(site: Site) -> None:
    site.add({"id": "inv/78", "title": "Invoice", "text": INVOICE, "collection": "invoices"})
    correct(site.http, document_id="inv/78", schema="invoice", fields={"total": field("120.50")})
    attached = site.chat("Extract the invoice", document_ids=["inv/78"], thread_id="attached")
    correct(site.http, run_id=attached["run_id"], fields={"supplier": field("Castle Paper Ltd")})
    assert len([row for row in stored(site.http) if row["document_id"] == "inv/78"]) == 2
    assert site.http.delete("/documents/inv%2F78").status_code == 204
    assert [row for row in stored(site.http) if row["document_id"] == "inv/78"] == []
    gone = site.http.post("/extract/corrections", json={"run_id": attached["run_id"], "fields": {"total": field(1)}})
    assert_error(gone, 404, "not_found")


def test_a_conversation_takes_its_corrections_along(site: Site) -> None:
    run_id = of_run(site, thread_id="short-lived")["run_id"]
    correct(site.http, run_id=run_id, fields={"total": field("120.50")})
    assert site.http.delete("/threads/short-lived").status_code == 204
    assert [row for row in stored(site.http) if row["run_id"] == run_id] == []


def test_it_is_in_the_audit_log_without_values(site: Site) -> None:
    run_id = of_run(site, thread_id="audited")["run_id"]
    correct(site.http, run_id=run_id, fields={"customer": field("Nobody Inc", verbatim=False), "total": field(120.5)})
    (row,) = site.rows("SELECT * FROM audit WHERE kind = 'extraction_corrected' AND run_id = ?", run_id)
    assert json.loads(row["human_override"]) == {"by": "local", "fields": ["customer", "total"]}
    assert json.loads(row["details"]) == {"schema": "invoice", "not_verbatim": ["customer"]}
    assert row["input_hash"]
    assert row["output_hash"]
    assert "Nobody" not in json.dumps(row)


TEXT: dict[str, Any] = {"text": INVOICE, "schema": "invoice"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({**TEXT, "fields": {}}, "invalid_request"),
        ({**TEXT}, "invalid_request"),
        ({"fields": {"total": field(1)}}, "invalid_request"),
        ({"text": INVOICE, "fields": {"total": field(1)}}, "invalid_request"),
        ({**TEXT, "document_id": "x", "fields": {"total": field(1)}}, "invalid_request"),
        ({**TEXT, "fields": {"total": {}}}, "invalid_request"),
        ({**TEXT, "fields": {"total": field([1])}}, "invalid_request"),
        ({**TEXT, "fields": {"total": field("9" * 5001)}}, "invalid_request"),
        ({**TEXT, "fields": {"x" * 501: field(1)}}, "invalid_request"),
        ({**TEXT, "fields": {f"f{n}": field(1) for n in range(201)}}, "invalid_request"),
        ({**TEXT, "fields": {"total": field(10**30)}}, "invalid_number"),
        ({**TEXT, "fields": {"supplier": field("\ud800")}}, "invalid_text"),
        ({**TEXT, "fields": {"poem": field("x")}}, "unknown_field"),
        ({**TEXT, "fields": {"line_items": field("x")}}, "unknown_field"),
        ({**TEXT, "fields": {"total": field("much")}}, "violates_schema"),
        ({**TEXT, "fields": {"issue_date": field("2026-13-45")}}, "violates_schema"),
        ({**TEXT, "fields": {"total": field(99.99)}}, "not_in_text"),
        ({**TEXT, "fields": {"total": field(99.99, quote="ninety-nine")}}, "quote_not_found"),
        ({**TEXT, "schema": "poem", "fields": {"total": field(1)}}, "unknown_schema"),
        ({**TEXT, "text": " \n", "fields": {"total": field(1)}}, "empty_text"),
        ({**TEXT, "owner": "bob", "fields": {"total": field(1)}}, "invalid_request"),
    ],
)
def test_bad_corrections_are_refused_and_nothing_is_stored(http: httpx.Client, body: Any, code: str) -> None:
    before = stored(http)
    headers = {"Content-Type": "application/json"}
    assert_error(http.post("/extract/corrections", content=json.dumps(body).encode(), headers=headers), 422, code)
    assert stored(http) == before


def test_one_bad_field_keeps_the_others_out(http: httpx.Client) -> None:
    before = stored(http)
    body = {**TEXT, "fields": {"total": field("120.50"), "supplier": field("Nobody Inc")}}
    error = assert_error(http.post("/extract/corrections", json=body), 422, "not_in_text")
    assert error["details"] == {"field": "supplier"}
    assert stored(http) == before


def test_with_a_run_it_is_known_what_was_read(site: Site) -> None:
    run_id = of_run(site, thread_id="known")["run_id"]
    for more in ({"schema": "invoice"}, {"fields": {"total": field(1, extracted={"value": 2})}}):
        body = {"run_id": run_id, "fields": {"total": field(120.5)}, **more}
        assert_error(site.http.post("/extract/corrections", json=body), 422, "invalid_request")


def test_an_answer_without_an_extraction_has_no_fields(site: Site) -> None:
    run_id = site.chat(thread_id="no-extraction")["run_id"]
    body = {"run_id": run_id, "fields": {"total": field(1)}}
    assert_error(site.http.post("/extract/corrections", json=body), 422, "no_extraction")
    assert_error(site.http.post("/extract/corrections", json={**body, "run_id": "nobody"}), 404, "not_found")


def test_somebody_else_s_document_and_corrections_are_not_there(keyed: Keyed) -> None:
    document = {"id": "bobs-invoice", "title": "Invoice", "text": INVOICE}
    assert keyed.request("bob", "POST", "/api/v1/documents?wait=true", json=document).status_code == 201
    body = {"document_id": "bobs-invoice", "schema": "invoice", "fields": {"total": field("120.50")}}
    assert_error(keyed.request("ann", "POST", "/api/v1/extract/corrections", json=body), 404, "not_found")
    assert keyed.request("bob", "POST", "/api/v1/extract/corrections", json=body).status_code == 201
    seen = {name: keyed.request(name, "GET", "/api/v1/extract/corrections").json() for name in ("ann", "bob")}
    assert [seen[name]["total"] for name in ("ann", "bob")] == [0, 1]
    assert keyed.request("bob", "DELETE", "/api/v1/documents/bobs-invoice").status_code == 204
    assert keyed.request("bob", "GET", "/api/v1/extract/corrections").json()["total"] == 0


def test_it_takes_the_scope_of_chats(keyed: Keyed) -> None:
    body = {**TEXT, "fields": {"total": field("120.50")}}
    for scope in ("documents", "review", "admin"):
        answer = keyed.request(scope, "POST", "/api/v1/extract/corrections", json=body)
        assert_error(answer, 403, "missing_scope")
    assert keyed.request("chat", "POST", "/api/v1/extract/corrections", json=body).status_code == 201
