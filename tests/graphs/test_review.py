"""A borderline score waits for a person: the graph pauses, takes a decision and is never stuck with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from agent.review import WAITING
from agent.services import Services
from agent.state import SettledReview, TurnContext
from tests.fakes.endpoint import FakeEndpoint, Reply
from tests.graphs.conftest import converse
from tests.graphs.conversation import Conversation, Turn

pytestmark = pytest.mark.asyncio(loop_scope="session")

TRANSACTION = (
    "Is this fraud? Card payment of 950 EUR at Zephyr Electronics at 03:10, the customer usually spends 40 EUR."
)
EVEN = {"FRAUD": -0.6, "LEG": -0.7}


@pytest.fixture
def waiting(services: Services, fake: FakeEndpoint) -> Conversation:
    """A conversation whose transactions are scored close to the middle, where reviews are on."""
    fake.script = lambda _: Reply("FRAUD", top_logprobs=EVEN)
    return converse(replace(services, reviews=True))


def config(chat: Conversation) -> RunnableConfig:
    return RunnableConfig(configurable={"thread_id": chat.thread_id})


async def interrupts(chat: Conversation) -> list[Any]:
    return [one.value for one in (await chat.graph.aget_state(config(chat))).interrupts]


async def resume(chat: Conversation, given: Any, **context: Any) -> dict[str, Any]:
    return await chat.graph.ainvoke(given, config(chat), context=TurnContext(**context))


def answers(state: dict[str, Any]) -> list[str]:
    return [message.text for message in state["messages"] if message.type == "ai"]


async def pause(chat: Conversation) -> Turn:
    turn = await chat.say(TRANSACTION)
    assert turn.result.interrupt is not None
    return turn


async def test_a_borderline_score_is_shown_and_left_to_a_person(waiting: Conversation) -> None:
    turn = await pause(waiting)
    fraud, asked = turn.result.fraud, turn.result.interrupt
    assert fraud is not None
    assert asked is not None
    assert (asked.label, asked.probability, asked.risk_score) == (fraud.label, fraud.probability, fraud.risk_score)
    assert asked.red_flags == fraud.red_flags
    assert asked.reasons == ["borderline"]
    assert asked.decisions == ["approve", "reject", "escalate"]
    assert "950" in asked.transaction
    assert turn.result.answer == turn.streamed == f"{fraud.reasoning}\n\n{WAITING}"
    assert turn.result.review is None
    assert await interrupts(waiting) == [asked.model_dump(mode="json")]


@pytest.mark.parametrize(
    ("answer", "label", "overridden"),
    [
        ({"decision": "approve"}, "FRAUD", False),
        ({"decision": "approve", "label": "FRAUD"}, "FRAUD", False),
        ({"decision": "reject", "comment": "a known customer"}, "LEGITIMATE", True),
    ],
)
async def test_a_decision_ends_the_turn(
    waiting: Conversation, fake: FakeEndpoint, answer: dict[str, Any], label: str, overridden: bool
) -> None:
    turn = await pause(waiting)
    fake.requests.clear()
    state = await resume(waiting, Command(resume=answer))
    result = state["result"]
    assert (result["review"]["label"], result["review"]["overridden"]) == (label, overridden)
    assert result["review"]["comment"] == answer.get("comment")
    assert result["interrupt"] is None
    assert result["fraud"] == turn.result.model_dump(mode="json")["fraud"]
    assert result["usage"]["prompt_tokens"] == 0
    assert answers(state) == [turn.result.answer, result["answer"]]
    assert label in result["answer"]
    assert fake.requests == []
    assert await interrupts(waiting) == []


@pytest.mark.parametrize(
    "nonsense",
    ["yes", {"decision": "escalate"}, {"decision": "approve", "label": "LEGITIMATE"}, {"decision": "approve", "x": 1}],
)
async def test_what_is_no_decision_is_asked_again(waiting: Conversation, nonsense: Any) -> None:
    turn = await pause(waiting)
    await resume(waiting, Command(resume=nonsense))
    assert turn.result.interrupt is not None
    assert await interrupts(waiting) == [turn.result.interrupt.model_dump(mode="json")]
    state = await resume(waiting, Command(resume={"decision": "approve"}))
    assert state["result"]["review"]["label"] == "FRAUD"


async def test_a_new_message_leaves_the_question_behind_and_the_decision_still_reaches_the_thread(
    waiting: Conversation,
) -> None:
    turn = await pause(waiting)
    later = await waiting.say("What is the capital of France?")
    assert later.result.interrupt is None
    assert await interrupts(waiting) == []
    settled = SettledReview(turn.result.model_dump(mode="json"), {"decision": "reject"})
    once = await resume(waiting, Command(goto="review"), settles=settled)
    assert once["result"]["review"]["label"] == "LEGITIMATE"
    assert answers(once) == [turn.result.answer, later.result.answer, once["result"]["answer"]]
    twice = await resume(waiting, Command(goto="review"), settles=settled)
    assert answers(twice) == answers(once)


async def test_a_thread_without_a_question_has_nothing_to_review(waiting: Conversation) -> None:
    turn = await waiting.say("What is the capital of France?")
    state = await resume(waiting, Command(goto="review"))
    assert answers(state) == [turn.result.answer]


async def test_a_clear_score_waits_for_nobody(services: Services) -> None:
    chat = converse(replace(services, reviews=True))
    result = (await chat.say(TRANSACTION)).result
    assert result.fraud is not None
    assert result.fraud.needs_review is False
    assert (result.interrupt, result.answer) == (None, result.fraud.reasoning)
    assert await interrupts(chat) == []


@pytest.mark.parametrize(("reviews", "may_wait"), [(False, True), (True, False)])
async def test_nobody_is_asked_where_nobody_could_answer(
    services: Services, fake: FakeEndpoint, reviews: bool, may_wait: bool
) -> None:
    fake.script = lambda _: Reply("FRAUD", top_logprobs=EVEN)
    chat = converse(replace(services, reviews=reviews))
    result = (await chat.say(TRANSACTION, may_wait=may_wait)).result
    assert result.fraud is not None
    assert result.fraud.needs_review is True
    assert (result.interrupt, result.answer) == (None, result.fraud.reasoning)
    assert await interrupts(chat) == []
