"""Answers that were given before, through the compiled graph: when they come again, and when they may not."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.answer_cache import AnswerCache
from agent.models.catalog import load_catalog
from agent.models.gateway import ModelGateway
from agent.prompts import Prompt, all_prompts
from agent.prompts.active import ActivePrompts
from agent.prompts.registry import PromptRegistry
from agent.services import Services
from tests.fakes.endpoint import FakeEndpoint, Reply, Script
from tests.graphs.conftest import converse
from tests.graphs.conversation import Turn
from tools.knowledge.documents import Page, ParsedDocument

pytestmark = pytest.mark.asyncio(loop_scope="session")

WINDOW = "How many days do credit card holders have to dispute a transaction?"
CREDIT = "Credit card holders have {days} days from posting to dispute a transaction."


@pytest.fixture
def caching(services: Services) -> Services:
    """The services with an empty cache."""
    return replace(services, answers=AnswerCache())


async def ask(services: Services, text: str = WINDOW, **context: Any) -> Turn:
    """Ask in a conversation of its own."""
    return await converse(services).say(text, **context)


def shown(turn: Turn) -> dict[str, Any]:
    """What a user sees of a result, and what made it."""
    names = {
        "route",
        "routed_to",
        "confidence",
        "answer",
        "abstained",
        "reason",
        "suggestions",
        "citations",
        "versions",
    }
    return turn.result.model_dump(include=names)


def holding(reply: Reply, arrived: threading.Event) -> Script:
    """Answers with `reply`, and says when a request has arrived."""

    def script(_: dict[str, Any]) -> Reply:
        arrived.set()
        return reply

    return script


async def write_policy(services: Services, owner: str, days: int) -> None:
    document = ParsedDocument("Dispute handling", [Page(f"# Windows\n\n{CREDIT.format(days=days)}")], "text/markdown")
    await services.index.add(f"{owner}/default", "windows", document)


async def test_the_same_question_gets_the_same_answer_without_a_model(caching: Services, fake: FakeEndpoint) -> None:
    first, second = await ask(caching), await ask(caching, f"  {WINDOW.replace(' ', '  ')}\n")
    assert len(fake.requests) == 1
    assert (first.result.cached, second.result.cached) == (False, True)
    assert shown(second) == shown(first)
    assert second.result.citations
    assert first.result.usage.completion_tokens > 0
    assert second.result.usage.model_dump() == {"prompt_tokens": 0, "completion_tokens": 0, "cost_usd": 0.0}
    assert second.streamed == second.result.answer
    assert second.names == ["route", "token", "result"]
    explained = dict(second.result.explanation)
    assert "no model was used" in explained.pop("cache")
    assert explained | {"query": first.result.explanation["query"]} == first.result.explanation


async def test_without_a_cache_the_model_is_asked_each_time(services: Services, fake: FakeEndpoint) -> None:
    assert services.answers is None
    assert [(await ask(services)).result.cached for _ in range(2)] == [False, False]
    assert len(fake.requests) == 2


@pytest.mark.parametrize(
    ("text", "reply"),
    [("Who won the football world cup in 1998?", None), (WINDOW, "NOANSWER"), (WINDOW, "It is 500 years [1].")],
    ids=["gate", "model", "unsupported"],
)
async def test_refusals_come_again(caching: Services, fake: FakeEndpoint, text: str, reply: str | None) -> None:
    fake.script = lambda _: Reply(reply or "")
    first = await ask(caching, text)
    asked = len(fake.requests)
    second = await ask(caching, text)
    assert asked == len(fake.requests) == (0 if reply is None else 1)
    assert (first.result.route, first.result.cached, second.result.cached) == ("unknown", False, True)
    assert shown(second) == shown(first)
    assert (first.result.usage.completion_tokens > 0) is ("answer_prompt" in first.result.versions) is bool(asked)
    assert second.result.usage.completion_tokens == 0
    assert second.streamed == second.result.answer


async def test_an_answer_never_crosses_owners(caching: Services, fake: FakeEndpoint) -> None:
    for owner, days in (("ann", 30), ("bob", 40)):
        await write_policy(caching, owner, days)
    for _ in range(2):
        assert "30 days" in (await ask(caching, owner="ann")).result.answer
        assert "40 days" in (await ask(caching, owner="bob")).result.answer
    assert len(fake.requests) == 2
    stranger = (await ask(caching, owner="eve")).result
    assert (stranger.cached, stranger.reason) == (False, "no_documents")


async def test_owner_and_collection_do_not_run_together(caching: Services) -> None:
    await ask(caching, owner="local", collection="default")
    for owner, collection in (("local/default", ""), ("local", "default/"), ("local/", "default")):
        assert not (await ask(caching, owner=owner, collection=collection)).result.cached


async def test_every_change_of_the_documents_asks_anew(caching: Services) -> None:
    await write_policy(caching, "cat", 30)
    assert "30 days" in (await ask(caching, owner="cat")).result.answer
    assert (await ask(caching, owner="cat")).result.cached

    await write_policy(caching, "cat", 45)
    changed = (await ask(caching, owner="cat")).result
    assert (changed.cached, "45 days" in changed.answer) == (False, True)
    assert (await ask(caching, owner="cat")).result.cached

    await caching.index.delete("cat/default", "windows")
    assert (await ask(caching, owner="cat")).result.reason == "no_documents"

    await write_policy(caching, "cat", 45)
    assert not (await ask(caching, owner="cat")).result.cached


async def test_documents_of_another_collection_change_nothing(caching: Services) -> None:
    await write_policy(caching, "dan", 30)
    await ask(caching, owner="dan")
    await caching.index.add("dan/other", "x", ParsedDocument("X", [Page("Something else.")], "text/markdown"))
    assert (await ask(caching, owner="dan")).result.cached


async def test_a_change_while_the_model_answers_leaves_no_old_answer(caching: Services, fake: FakeEndpoint) -> None:
    await write_policy(caching, "fay", 30)
    hold, arrived = threading.Event(), threading.Event()
    fake.script = holding(Reply(f"{CREDIT.format(days=30).rstrip('.')} [1].", hold=hold), arrived)
    asking = asyncio.create_task(ask(caching, owner="fay"))
    await asyncio.to_thread(arrived.wait, 30)
    await write_policy(caching, "fay", 45)
    hold.set()
    assert "30 days" in (await asking).result.answer
    fake.script = lambda _: Reply(f"{CREDIT.format(days=45).rstrip('.')} [1].")
    after = (await ask(caching, owner="fay")).result
    assert (after.cached, "45 days" in after.answer) == (False, True)


async def test_a_change_between_lookup_and_search_is_cached_as_what_it_is(
    caching: Services, fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_policy(caching, "gil", 30)
    search = type(caching.index).search_counted

    async def late(index: Any, *arguments: Any, **options: Any) -> Any:
        await write_policy(caching, "gil", 45)
        return await search(index, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(type(caching.index), "search_counted", late)
        assert "45 days" in (await ask(caching, owner="gil")).result.answer
    after = (await ask(caching, owner="gil")).result
    assert (after.cached, "45 days" in after.answer) == (True, True)
    assert len(fake.requests) == 1


async def test_limits_and_documents_are_part_of_the_question(caching: Services, fake: FakeEndpoint) -> None:
    contexts: list[dict[str, Any]] = [
        {},
        {"temperature": 0.5},
        {"max_tokens": 100},
        {"document_ids": ("policy",)},
        {"document_ids": ("fees", "policy")},
    ]
    for context in contexts:
        assert not (await ask(caching, **context)).result.cached
    for context in [*contexts, {"document_ids": ("policy", "fees")}]:
        assert (await ask(caching, **context)).result.cached
    assert len(fake.requests) == len(contexts)


async def test_other_prompts_models_and_weights_ask_anew(caching: Services, fake: FakeEndpoint, tmp_path: Path) -> None:
    await ask(caching)
    registry = PromptRegistry(tmp_path / "prompts.json", [*all_prompts(), Prompt("prose", 9, "Answer and cite.")])
    file = fake.models_file(tmp_path / "other.yaml")
    file.write_text(file.read_text().replace('"max_tokens": 200', '"max_tokens": 199'))
    gate = caching.gate
    for changed in (
        replace(caching, prompts=ActivePrompts(registry)),
        replace(caching, models=ModelGateway(load_catalog(file))),
        replace(caching, gate=replace(gate, threshold=gate.threshold / 2)),
        replace(caching, reader=replace(caching.reader, threshold=0.0)),
    ):
        assert not (await ask(changed)).result.cached
        assert (await ask(changed)).result.cached
    assert (await ask(caching)).result.cached


async def test_what_the_model_is_shown_of_earlier_turns_is_part_of_the_question(caching: Services) -> None:
    chat = converse(caching)
    assert [(await chat.say(WINDOW)).result.cached for _ in range(2)] == [False, False]
    assert (await ask(caching)).result.cached
    same = converse(caching)
    assert [(await same.say(WINDOW)).result.cached for _ in range(2)] == [True, True]


async def test_a_model_that_quotes_is_shown_no_earlier_turns(
    caching: Services, fake: FakeEndpoint, tmp_path: Path
) -> None:
    file = fake.models_file(tmp_path / "quote.yaml")
    file.write_text(file.read_text().replace('"model": "fake-answer"', '"model": "fake-answer", "style": "quote"'))
    quoting = replace(caching, models=ModelGateway(load_catalog(file)))
    await ask(quoting, "What is the dispute window for debit card holders?")
    chat = converse(quoting)
    await chat.say("What is the dispute window for credit card holders?")
    assert (await chat.say("and for debit card holders?")).result.cached


@pytest.mark.parametrize("reply", [Reply(status=500), Reply("Credit card holders have", cut_after=2)])
async def test_what_lacked_its_model_is_asked_anew(caching: Services, fake: FakeEndpoint, reply: Reply) -> None:
    fake.script = lambda _: reply
    assert (await ask(caching)).result.degraded
    fake.script = lambda _: Reply(f"{CREDIT.format(days=120).rstrip('.')} [1].")
    after = (await ask(caching)).result
    assert (after.cached, after.degraded) == (False, False)


async def test_a_refusal_that_lacked_its_model_is_asked_anew(caching: Services, fake: FakeEndpoint) -> None:
    strict = replace(caching, reader=replace(caching.reader, threshold=1.01))
    fake.script = lambda _: Reply(status=500)
    assert (await ask(strict)).result.reason == "not_in_documents"
    fake.script = lambda _: Reply(f"{CREDIT.format(days=120).rstrip('.')} [1].")
    after = (await ask(strict)).result
    assert (after.cached, after.route) == (False, "knowledge")


async def test_an_answer_that_is_stopped_is_not_kept(caching: Services, fake: FakeEndpoint) -> None:
    hold, arrived = threading.Event(), threading.Event()
    fake.script = holding(Reply("Credit card holders have 120 days [1].", hold=hold), arrived)
    asking = asyncio.create_task(ask(caching))
    await asyncio.to_thread(arrived.wait, 30)
    asking.cancel()
    await asyncio.wait([asking])
    hold.set()
    fake.script = lambda _: Reply(f"{CREDIT.format(days=120).rstrip('.')} [1].")
    assert not (await ask(caching)).result.cached
