"""The routes where the model's server does not answer."""

from __future__ import annotations

import pytest

from tests.fakes.endpoint import FakeEndpoint, Reply
from tests.graphs.conversation import INVOICE, TRANSACTION, WINDOW, Conversation, check_citations

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_without_a_model_a_question_gets_the_closest_sentence(chat: Conversation, fake: FakeEndpoint) -> None:
    fake.script = lambda _: Reply(status=500)
    turn = await chat.say(WINDOW)
    assert (turn.result.route, turn.result.degraded) == ("knowledge", True)
    assert "does not answer at the moment" in turn.result.answer
    assert "120 days" in turn.result.answer
    assert turn.streamed == turn.result.answer
    check_citations(turn)


async def test_without_a_model_a_transaction_gets_its_flags(chat: Conversation, fake: FakeEndpoint) -> None:
    fake.script = lambda _: Reply(status=503)
    result = (await chat.say(TRANSACTION)).result
    assert (result.route, result.degraded, result.reason, result.fraud) == ("fraud", True, "model_unavailable", None)
    assert "no probability" in result.answer


async def test_without_a_model_extraction_keeps_to_what_rules_find(chat: Conversation, fake: FakeEndpoint) -> None:
    fake.script = lambda _: Reply(status=500)
    result = (await chat.say(f"Extract the fields of this invoice:\n\n{INVOICE}")).result
    assert (result.route, result.degraded) == ("extraction", True)
    assert result.extraction is not None
    assert result.extraction.data["invoice_number"] == "INV-2093"
