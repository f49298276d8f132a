"""The graph with the packaged model: answers are sentences of the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.models.catalog import load_catalog
from agent.models.files import LANGUAGE_MODEL
from agent.models.fraud import FraudModels
from agent.models.gateway import ModelGateway
from agent.services import Services
from tests.graphs.conftest import converse
from tests.graphs.conversation import DOCUMENTS, INVOICE, Conversation
from tools.fraud.adapters import packaged_adapter
from tools.fraud.manifest import load_manifest
from tools.fraud.prompt import load_prompt

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture(scope="module")
def embedded() -> Iterator[ModelGateway]:
    gateway = ModelGateway(load_catalog())
    yield gateway
    gateway.close()


@pytest.fixture
def chat(all_services: Services, embedded: ModelGateway, tmp_path: Path) -> Conversation:
    return converse(replace(all_services, models=embedded, fraud=FraudModels(embedded, tmp_path, tmp_path / "merged")))


async def test_an_answer_quotes_the_documents_and_a_follow_up_is_understood(chat: Conversation) -> None:
    first = await chat.say("What is the dispute window for credit card holders?")
    assert "120 days" in first.result.answer
    second = await chat.say("and for debit card holders?")
    assert second.result.explanation["query"] == "What is the dispute window for debit card holders?"
    assert "90 days" in second.result.answer
    for turn in (first, second):
        assert turn.result.route == "knowledge"
        assert turn.result.usage.completion_tokens > 0
        for citation in turn.result.citations:
            assert citation.quote in DOCUMENTS[citation.document_id]
        used = dict.fromkeys(int(n) for n in re.findall(r"\[(\d+)\]", turn.result.answer))
        assert list(used) == [citation.n for citation in turn.result.citations]


async def test_a_table_row_is_quoted_with_its_header(chat: Conversation) -> None:
    result = (await chat.say("What does the express courier cost for a business card?")).result
    assert "Business card: 24 EUR" in result.answer
    assert any(citation.quote == "| Express courier | 18 EUR | 24 EUR |" for citation in result.citations)


async def test_a_transaction_is_scored_with_the_weights_that_are_named(chat: Conversation) -> None:
    result = (await chat.say("Is this fraud? 950 EUR at Zephyr Electronics at 03:10, usually spends 40 EUR.")).result
    assert result.fraud is not None
    folder = packaged_adapter("fraud")
    assert folder is not None
    shipped = load_manifest(folder, LANGUAGE_MODEL.sha256, load_prompt())
    assert (result.fraud.model.adapter, result.fraud.model.sha256) == (shipped.name, shipped.adapter.sha256)
    assert result.fraud.calibrated


async def test_an_invoice_is_extracted(chat: Conversation) -> None:
    extraction = (await chat.say(f"Extract the fields of this invoice:\n\n{INVOICE}")).result.extraction
    assert extraction is not None
    assert extraction.data["invoice_number"] == "INV-2093"
