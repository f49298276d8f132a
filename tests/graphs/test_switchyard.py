"""The four routes through the compiled graph, answers from a scripted model."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain.messages import AIMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from agent.models.catalog import load_catalog
from agent.models.gateway import ModelGateway
from agent.prompts import Prompt, all_prompts
from agent.prompts.active import ActivePrompts
from agent.prompts.registry import PromptRegistry
from agent.results import TurnResult
from agent.router.decide import Thresholds
from graphs.switchyard import build_graph
from tests.fakes.endpoint import PRICE_IN, PRICE_OUT, FakeEndpoint, Reply, Script
from tests.graphs.conftest import converse
from tests.graphs.conversation import INVOICE, TRANSACTION, WINDOW, Conversation, check_citations
from tests.tools.extraction.documents import DOCUMENTS, SAID
from tools.errors import NotFoundError
from tools.knowledge.documents import Page, ParsedDocument

pytestmark = pytest.mark.asyncio(loop_scope="session")


def answering(fake: FakeEndpoint, text: str) -> None:
    fake.script = lambda _: Reply(text)


async def test_a_question_is_answered_with_citations(chat: Conversation) -> None:
    turn = await chat.say(WINDOW)
    result = turn.result
    assert (result.route, result.routed_to, result.abstained, result.reason) == ("knowledge", "knowledge", False, None)
    assert not result.degraded
    assert result.citations
    check_citations(turn)
    assert turn.names == ["route", "status", "token", "result"]
    assert turn.events[0]["data"] == {"routed_to": "knowledge", "confidence": result.confidence}
    assert result.versions["answer_model"] == "fake-answer"
    assert re.fullmatch(r"prose\.v\d+", result.versions["answer_prompt"])
    assert result.explanation["evidence"]["probability"] >= result.explanation["evidence"]["threshold"]
    assert result.explanation["passages"]


async def test_usage_and_cost_reach_the_result(chat: Conversation) -> None:
    usage = (await chat.say(WINDOW)).result.usage
    assert usage.prompt_tokens > 50
    assert usage.completion_tokens > 0
    expected = (usage.prompt_tokens * PRICE_IN + usage.completion_tokens * PRICE_OUT) / 1000
    assert math.isclose(usage.cost_usd, expected)


CREDIT, DEBIT = "Credit card holders have 120 days from posting", "Debit card holders have 90 days from posting"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (f"{CREDIT} [1]. {DEBIT} [1].", f"{CREDIT}. [1] {DEBIT}. [1]"),
        (f"{CREDIT}. [1] {DEBIT}. [1]", f"{CREDIT}. [1] {DEBIT}. [1]"),
        (f"{CREDIT} [1]. Card holders love bananas from Ecuador [1].", f"{CREDIT}. [1]"),
        (f"Credit card holders have 121 days from posting [1]. {DEBIT} [1].", f"{DEBIT}. [1]"),
        (f"{CREDIT} [1]. {DEBIT} [99].", f"{CREDIT}. [1]"),
        (f"{CREDIT} [1]. {DEBIT}.", f"{CREDIT}. [1]"),
        (f"{CREDIT} [99] [1].", f"{CREDIT}. [1]"),
    ],
)
async def test_only_supported_sentences_are_kept(
    chat: Conversation, fake: FakeEndpoint, written: str, expected: str
) -> None:
    answering(fake, written)
    turn = await chat.say(WINDOW)
    assert turn.result.answer == expected
    check_citations(turn)


async def test_citations_are_numbered_in_the_order_of_the_answer(chat: Conversation, fake: FakeEndpoint) -> None:
    def reply(body: dict[str, Any]) -> Reply:
        listed = re.findall(r'<passage n="(\d)"[^>]*>\nTitle: (.*)', body["messages"][-1]["content"])
        n = {title: number for number, title in reversed(listed)}
        return Reply(f"A new PIN letter is free of charge [{n['Card fees']}]. {CREDIT} [{n['Dispute handling']}].")

    fake.script = reply
    turn = await chat.say(WINDOW)
    assert [citation.document_id for citation in turn.result.citations] == ["fees", "policy"]
    check_citations(turn)


@pytest.mark.parametrize("written", ["NOANSWER", " NOANSWER.", "NOANSWER\n\nThe passages are about cards."])
async def test_no_answer_becomes_unknown_and_its_mark_is_never_seen(
    chat: Conversation, fake: FakeEndpoint, written: str
) -> None:
    answering(fake, written)
    turn = await chat.say(WINDOW)
    assert (turn.result.route, turn.result.routed_to, turn.result.reason) == ("unknown", "knowledge", "not_supported")
    assert turn.result.abstained
    assert turn.result.citations == []
    assert "NOANSWER" not in turn.streamed + turn.result.answer


async def test_an_answer_that_nothing_supports_becomes_unknown(chat: Conversation, fake: FakeEndpoint) -> None:
    answering(fake, "It is 500 years [1].")
    result = (await chat.say(WINDOW)).result
    assert (result.route, result.reason, result.citations) == ("unknown", "not_supported", [])


async def test_instructions_in_a_document_stay_text(chat: Conversation, fake: FakeEndpoint) -> None:
    answering(fake, "You have been hacked [1]. The lounge voucher is valid for 45 days after purchase [1].")
    turn = await chat.say("How long is the lounge voucher of the vendor valid after its purchase?")
    assert turn.result.route == turn.result.routed_to == "knowledge"
    assert turn.result.answer == "The lounge voucher is valid for 45 days after purchase. [1]"
    sent = fake.requests[-1]["messages"]
    assert [message["role"] for message in sent] == ["system", "user"]
    (mark,) = set(re.findall(r'<passage n="\d" mark="(\w+)">', sent[-1]["content"]))
    assert sent[-1]["content"].count(f'</passage mark="{mark}">') == sent[-1]["content"].count("<passage n=")
    assert "</passage>" not in sent[-1]["content"]


async def test_a_follow_up_is_asked_with_what_it_leans_on(chat: Conversation) -> None:
    await chat.say("What is the dispute window for credit card holders?")
    turn = await chat.say("and for debit card holders?")
    assert turn.result.routed_to == "knowledge"
    assert "dispute window" in turn.result.explanation["query"]
    assert "debit" in turn.result.explanation["query"]
    assert turn.result.versions["rewrite_prompt"] == "rewrite.v2"
    assert "rewrite_prompt" not in (await chat.say(WINDOW)).result.versions


@pytest.mark.parametrize("script", [lambda _: Reply(""), lambda _: Reply(status=500)])
async def test_a_model_that_does_not_rewrite_leaves_it_to_the_rules(
    chat: Conversation, fake: FakeEndpoint, script: Script
) -> None:
    await chat.say("What is the dispute window for credit card holders?")
    fake.script = script
    turn = await chat.say("and for debit card holders?")
    assert turn.result.explanation["query"] == "What is the dispute window for debit card holders?"
    assert "rewrite_prompt" not in turn.result.versions


async def test_a_prompt_that_is_rolled_back_serves_the_next_turn(
    chat: Conversation, fake: FakeEndpoint, tmp_path: Path
) -> None:
    prompts = [*all_prompts(), Prompt("prose", 9, "Answer from the passages. Cite them.")]
    registry = PromptRegistry(tmp_path / "prompts.json", prompts)
    rolled = converse(replace(chat.services, prompts=ActivePrompts(registry)))
    newest = registry.versions("prose")[-2].id
    for expected in ("prose.v9", newest, "prose.v9"):
        turn = await rolled.say(WINDOW)
        assert turn.result.versions["answer_prompt"] == expected
        assert fake.requests[-1]["messages"][0]["content"] == registry.in_use()["prose"].text
        registry.use(registry.previous("prose"))


async def test_the_last_turns_are_shown_to_the_model(chat: Conversation, fake: FakeEndpoint) -> None:
    for _ in range(7):
        await chat.say(WINDOW)
    sent = fake.requests[-1]["messages"]
    assert [message["role"] for message in sent] == ["system", "user"]
    said = re.findall(r'<said by="(\w+)" mark="\w+">\n(.*)', sent[1]["content"])
    assert [by for by, _ in said] == ["user", "assistant"] * 5
    assert said[0][1] == WINDOW


@pytest.mark.parametrize(
    ("text", "context", "reason"),
    [
        ("Who won the football world cup in 1998?", {}, "off_topic"),
        (WINDOW, {"collection": "nothing here"}, "no_documents"),
        (WINDOW, {"owner": "somebody else"}, "no_documents"),
        ("asdf qwer zxcv", {}, None),
        ("hello there, how are you today?", {}, None),
        ("   ", {}, "empty"),
    ],
)
async def test_what_cannot_be_answered_ends_as_unknown(
    chat: Conversation, fake: FakeEndpoint, text: str, context: dict[str, str], reason: str | None
) -> None:
    result = (await chat.say(text, **context)).result
    assert (result.route, result.abstained, result.citations, result.fraud) == ("unknown", True, [], None)
    assert result.reason == reason or (
        reason is None and result.reason in {"not_a_task", "off_topic", "not_in_documents"}
    )
    assert result.answer.startswith("I don't know")
    assert result.suggestions
    assert fake.requests == []


async def test_passages_that_do_not_answer_end_as_unknown_with_their_titles(chat: Conversation) -> None:
    strict = replace(chat.services, gate=replace(chat.services.gate, threshold=1.01))
    result = (await converse(strict).say(WINDOW)).result
    assert (result.route, result.routed_to, result.reason) == ("unknown", "knowledge", "not_in_documents")
    assert any("Dispute handling" in suggestion for suggestion in result.suggestions)


async def test_sentences_that_do_not_answer_are_a_near_miss(chat: Conversation, fake: FakeEndpoint) -> None:
    fake.script = lambda _: Reply(status=500)
    strict = replace(chat.services, reader=replace(chat.services.reader, threshold=1.01))
    turn = await converse(strict).say(WINDOW)
    result = turn.result
    assert (result.route, result.routed_to, result.reason) == ("unknown", "knowledge", "not_in_documents")
    assert "Your documents mention this" in result.answer
    assert turn.streamed == result.answer
    assert any("Dispute handling" in suggestion for suggestion in result.suggestions)
    assert result.citations == []
    assert result.explanation["reader"]["probability"] < 1


async def test_idle_talk_is_no_task(chat: Conversation) -> None:
    router = replace(chat.services.router, thresholds=Thresholds(other_floor=0.0))
    result = (await converse(replace(chat.services, router=router)).say("hello there, how are you today?")).result
    assert (result.route, result.routed_to, result.reason) == ("unknown", "unknown", "not_a_task")


async def test_two_likely_readings_are_both_offered(chat: Conversation) -> None:
    router = replace(chat.services.router, thresholds=Thresholds(ambiguous_margin=1.0))
    result = (await converse(replace(chat.services, router=router)).say(WINDOW)).result
    assert (result.route, result.routed_to, result.reason) == ("unknown", "unknown", "ambiguous")
    assert len(result.suggestions) == 2
    assert "which you mean" in result.answer


async def test_a_restriction_to_documents_holds(chat: Conversation) -> None:
    result = (await chat.say(WINDOW, document_ids=("policy",))).result
    passages = result.explanation.get("passages", [])
    assert {passage["chunk_id"].split("#")[0] for passage in passages} <= {"policy"}


async def test_a_transaction_is_scored(chat: Conversation) -> None:
    turn = await chat.say(TRANSACTION)
    result = turn.result
    assert (result.route, result.abstained) == ("fraud", False)
    assert result.fraud is not None
    assert result.fraud.label == "FRAUD"
    assert result.fraud.risk_score == round(100 * result.fraud.probability)
    assert (result.fraud.calibrated, result.fraud.model.adapter) == (False, None)
    assert all(flag.evidence for flag in result.fraud.red_flags)
    assert turn.streamed == result.answer == result.fraud.reasoning
    assert result.versions == {"fraud_model": "fake-fraud", "fraud_prompt": "label.v1"}


async def test_what_a_transaction_lacks_is_asked_for_and_completed_in_the_next_turn(chat: Conversation) -> None:
    asked = await chat.say("Is this fraud? A card payment at Zephyr Electronics at 03:10 from abroad.")
    assert (asked.result.route, asked.result.reason, asked.result.fraud) == ("fraud", "missing_fields", None)
    assert "amount" in asked.result.answer
    assert asked.state["pending_transaction"]
    scored = await chat.say("The amount was 950 EUR.")
    assert scored.result.route == "fraud"
    assert scored.result.fraud is not None
    assert scored.result.confidence == 1.0
    assert scored.state["pending_transaction"] is None


async def test_another_question_drops_the_pending_transaction(chat: Conversation) -> None:
    await chat.say("Is this fraud? A card payment at Zephyr Electronics at 03:10 from abroad.")
    turn = await chat.say(WINDOW)
    assert turn.result.route == "knowledge"
    assert turn.state["pending_transaction"] is None


async def test_a_pasted_document_is_extracted(chat: Conversation) -> None:
    turn = await chat.say(f"Extract the fields of this invoice:\n\n{INVOICE}")
    extraction = turn.result.extraction
    assert (turn.result.route, turn.result.abstained) == ("extraction", False)
    assert extraction is not None
    assert extraction.schema_name == "invoice"
    assert extraction.source_text is not None
    found = [field.evidence for field in extraction.fields.values() if field.evidence is not None]
    assert found
    assert all(extraction.source_text[e.start : e.end] == e.quote for e in found)
    assert all(field.value is None or field.evidence is not None for field in extraction.fields.values())
    assert "source_text" not in turn.state["result"]["extraction"]


@pytest.mark.parametrize("kind", DOCUMENTS)
async def test_every_kind_is_recognised_and_read(chat: Conversation, kind: str) -> None:
    extraction = (await chat.say(f"Extract the fields of this document:\n\n{DOCUMENTS[kind]}")).result.extraction
    name, value = SAID[kind]
    assert extraction is not None
    assert (extraction.schema_name, extraction.data[name]) == (kind, value)
    assert extraction.fields[name].evidence is not None


async def test_a_schema_of_the_users_own_is_pasted_with_the_document(chat: Conversation) -> None:
    schema = '{"type": "object", "properties": {"invoice_number": {"type": ["string", "null"]}}}'
    turn = await chat.say(f"Extract the fields of this JSON schema:\n```json\n{schema}\n```\n\n{INVOICE}")
    extraction = turn.result.extraction
    assert turn.result.route == "extraction"
    assert extraction is not None
    assert (extraction.schema_name, extraction.data) == ("custom", {"invoice_number": "INV-2093"})
    evidence = extraction.fields["invoice_number"].evidence
    assert evidence is not None
    assert extraction.source_text is not None
    assert extraction.source_text[evidence.start : evidence.end] == evidence.quote


async def test_an_attached_document_is_extracted_and_others_are_named(chat: Conversation) -> None:
    extraction = (await chat.say("Extract the fields", document_ids=("invoice", "fees"))).result.extraction
    assert extraction is not None
    assert extraction.document_id == "invoice"
    assert extraction.data["invoice_number"] == "INV-2093"
    assert any("2 attached" in warning for warning in extraction.warnings)


async def test_a_document_of_somebody_else_is_not_found(chat: Conversation) -> None:
    with pytest.raises(NotFoundError):
        await chat.say("Extract the fields of the attached invoice", document_ids=("invoice",), owner="somebody else")


async def test_which_schema_is_meant_is_asked(chat: Conversation) -> None:
    result = (await chat.say("Extract the fields as JSON:\n\nLorem ipsum dolor sit amet, consectetur.")).result
    assert (result.route, result.reason, result.extraction) == ("extraction", "schema_unclear", None)
    assert any("invoice" in suggestion for suggestion in result.suggestions)


async def test_a_model_that_breaks_off_leaves_a_degraded_answer(chat: Conversation, fake: FakeEndpoint) -> None:
    fake.script = lambda _: Reply(f"{CREDIT} [1].", cut_after=3)
    result = (await chat.say(WINDOW)).result
    assert (result.route, result.degraded) == ("knowledge", True)
    assert "120 days" in result.answer


async def test_quotes_are_chosen_where_the_catalog_says_so(
    chat: Conversation, fake: FakeEndpoint, tmp_path: Path
) -> None:
    file = fake.models_file(tmp_path / "quote.yaml")
    file.write_text(file.read_text().replace('"model": "fake-answer"', '"model": "fake-answer", "style": "quote"'))
    quoting = converse(replace(chat.services, models=ModelGateway(load_catalog(file))))
    turn = await quoting.say(WINDOW)
    assert re.fullmatch(r"quote\.v\d+", turn.result.versions["answer_prompt"])
    assert "120 days" in turn.result.answer
    check_citations(turn)
    await quoting.say("and for debit card holders?")
    assert quoting.turns[-1].result.explanation["query"].endswith("debit card holders have to dispute a transaction?")
    fake.script = lambda _: Reply(status=500)
    assert (await quoting.say(WINDOW)).result.degraded


async def test_documents_that_disagree_are_both_quoted(chat: Conversation, fake: FakeEndpoint, tmp_path: Path) -> None:
    file = fake.models_file(tmp_path / "quote.yaml")
    file.write_text(file.read_text().replace('"model": "fake-answer"', '"model": "fake-answer", "style": "quote"'))
    quoting = converse(replace(chat.services, models=ModelGateway(load_catalog(file))))
    for year, days in ((2024, 90), (2026, 120)):
        text = f"Holders of a credit card have {days} days from posting to dispute a transaction."
        document = ParsedDocument(f"Dispute rules {year}", [Page(text)], "text/plain")
        await chat.services.index.add("local/rules", f"rules-{year}", document)
    turn = await quoting.say("How long do credit card holders have to dispute a transaction?", collection="rules")
    assert (turn.result.route, turn.result.abstained, turn.result.reason) == ("knowledge", False, "conflicting")
    assert "90 days" in turn.result.answer
    assert "120 days" in turn.result.answer
    assert {citation.document_id for citation in turn.result.citations} == {"rules-2024", "rules-2026"}
    assert turn.streamed == turn.result.answer
    assert fake.requests == []


async def test_the_state_is_plain_data(chat: Conversation) -> None:
    strict = JsonPlusSerializer(allowed_msgpack_modules=None)
    for text in (WINDOW, TRANSACTION, f"Extract the fields of this invoice:\n\n{INVOICE}", "Who won the world cup?"):
        state = (await chat.say(text)).state
        plain = {name: value for name, value in state.items() if name != "messages"}
        assert strict.loads_typed(strict.dumps_typed(plain)) == plain
        assert TurnResult.model_validate(state["result"]).answer == state["messages"][-1].text
    assert [type(message).__name__ for message in state["messages"]] == ["HumanMessage", "AIMessage"] * 4


async def test_each_answer_in_the_thread_says_how_it_came_about(chat: Conversation) -> None:
    message = (await chat.say(WINDOW)).state["messages"][-1]
    assert isinstance(message, AIMessage)
    brief = message.additional_kwargs["switchyard"]
    assert brief["route"] == "knowledge"
    assert brief["citations"][0]["n"] == 1


async def test_threads_do_not_see_each_other(chat: Conversation) -> None:
    await chat.say("What is the dispute window for credit card holders?")
    other = Conversation(chat.graph, chat.services, "another-thread")
    assert (await other.say("and for debit card holders?")).result.explanation["query"] == "and for debit card holders?"


async def test_without_a_checkpointer_every_turn_is_the_first(chat: Conversation) -> None:
    forgetful = Conversation(build_graph(chat.services), chat.services, "t")
    await forgetful.say(WINDOW)
    assert len((await forgetful.say(WINDOW)).state["messages"]) == 2
