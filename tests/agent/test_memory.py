from __future__ import annotations

from langchain.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage

from agent.memory import LAST_TURNS, last_question, recent_turns
from tools.ports import Message


def conversation(turns: int) -> list[AnyMessage]:
    """So many exchanges, then a new question."""
    exchanges = [message for n in range(turns) for message in (HumanMessage(f"q{n}"), AIMessage(f"a{n}"))]
    return [*exchanges, HumanMessage("new")]


def test_the_last_five_turns_are_shown_without_the_new_question() -> None:
    assert LAST_TURNS == 5
    shown = recent_turns(conversation(8))
    assert shown == [
        message for n in range(3, 8) for message in (Message("user", f"q{n}"), Message("assistant", f"a{n}"))
    ]


def test_a_short_conversation_is_shown_whole() -> None:
    assert [message.content for message in recent_turns(conversation(2))] == ["q0", "a0", "q1", "a1"]
    assert recent_turns(conversation(0)) == []
    assert recent_turns([]) == []


def test_what_is_shown_starts_with_the_user_even_after_an_unanswered_question() -> None:
    messages = [HumanMessage("lost"), *conversation(5)]
    shown = recent_turns(messages)
    assert shown[0] == Message("user", "q0")
    assert len(shown) == 10


def test_other_messages_are_left_out() -> None:
    assert recent_turns([SystemMessage("rules"), *conversation(1)]) == [
        Message("user", "q0"),
        Message("assistant", "a0"),
    ]


def test_the_newest_question_is_found() -> None:
    assert last_question([HumanMessage("old"), AIMessage("x"), HumanMessage("new"), AIMessage("y")]) == "new"
    assert last_question([]) == last_question([AIMessage("x")]) == ""


def test_a_question_in_content_blocks_is_its_text() -> None:
    assert (
        last_question([HumanMessage([{"type": "text", "text": "How "}, {"type": "text", "text": "long?"}])])
        == "How long?"
    )
