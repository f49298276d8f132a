"""The four routes with the packaged model, through the server, on documents of a stranger."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from openai import OpenAI

from agent.settings import Settings
from tests.server.site import ANSWER, DOCUMENTS, FOLLOW_UP, QUESTION, Site, cache_folder, serve
from tools.fraud.adapters import packaged_adapter

pytestmark = pytest.mark.model

INVOICE = (
    "Extract the fields:\n\nINVOICE\nInvoice number: INV-2041\nInvoice date: 3 May 2026\n"
    "Supplier: Castle Paper Ltd\nTotal: 120.50 EUR"
)
PAYMENT = "Is this fraud? 2400 EUR at ElectroWorld, ecommerce, country NG, home country DE, usual amount 45 EUR"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Site]:
    # A question that is asked again is to be answered again.
    settings = Settings(data_dir=tmp_path_factory.mktemp("real"), samples="off", answer_cache="off")
    settings.cache_folder.symlink_to(cache_folder(pytestconfig))
    with serve(settings) as site:
        assert site.http.post("/documents/batch", json={"documents": DOCUMENTS}).json()["failed"] == []
        yield site


def test_a_question_is_answered_with_its_source(real: Site) -> None:
    events = real.stream(QUESTION, thread_id="real")
    result = events[-2].data
    assert result["route"] == "knowledge"
    assert "120 days" in result["answer"]
    assert ANSWER in [citation["quote"] for citation in result["citations"]]
    assert [event.name for event in events].count("token") >= 2
    assert result["usage"]["completion_tokens"] > 0
    assert result["degraded"] is False


def test_openai_s_client_gets_the_same_answer_word_by_word(real: Site) -> None:
    with OpenAI(base_url=f"{real.url}/v1", api_key="anything", max_retries=0) as client:
        stream = client.chat.completions.create(
            model="switchyard", messages=[{"role": "user", "content": QUESTION}], stream=True
        )
        chunks = list(stream)
    pieces = [choice.delta.content for chunk in chunks for choice in chunk.choices if choice.delta.content]
    fields = (chunks[-1].model_extra or {})["switchyard"]
    assert "".join(pieces) == real.http.get(f"/runs/{fields['run_id']}").json()["result"]["answer"]
    assert len(pieces) >= 2
    assert ANSWER in [citation["quote"] for citation in fields["citations"]]


def test_a_follow_up_is_answered(real: Site) -> None:
    real.chat(QUESTION, thread_id="real-follow-up")
    result = real.chat(FOLLOW_UP, thread_id="real-follow-up")
    assert "60 days" in result["answer"]
    assert result["citations"][0]["document_id"] == "debit"


def test_a_pasted_invoice_is_read(real: Site) -> None:
    result = real.chat(INVOICE)
    assert (result["route"], result["extraction"]["schema"]) == ("extraction", "invoice")
    assert result["extraction"]["data"]["invoice_number"] == "INV-2041"
    source = result["extraction"]["source_text"]
    for field in result["extraction"]["fields"].values():
        if field["evidence"]:
            assert source[field["evidence"]["start"] : field["evidence"]["end"]] == field["evidence"]["quote"]


def test_a_transaction_is_scored(real: Site) -> None:
    result = real.chat(PAYMENT)
    fraud = result["fraud"]
    assert result["route"] == "fraud"
    assert 0 <= fraud["probability"] <= 1
    assert fraud["risk_score"] == round(100 * fraud["probability"])
    folder = packaged_adapter("fraud")
    assert folder is not None
    shipped = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert (fraud["calibrated"], fraud["model"]["adapter"]) == (True, shipped["name"])
    assert fraud["model"]["sha256"] == shipped["adapter"]["sha256"]
    assert fraud["red_flags"]


@pytest.mark.parametrize("question", ["What is the capital of France?", "How do I bake sourdough bread?"])
def test_what_the_documents_do_not_say_is_not_answered(real: Site, question: str) -> None:
    result = real.chat(question)
    assert (result["route"], result["abstained"], result["citations"]) == ("unknown", True, [])
    assert result["reason"]
    assert result["suggestions"]
