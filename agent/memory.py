"""What the model is shown of a conversation: the last turns, never the whole thread."""

from __future__ import annotations

from collections.abc import Sequence

from langchain.messages import AIMessage, AnyMessage, HumanMessage

from tools.ports import Message

LAST_TURNS = 5


def last_question(messages: Sequence[AnyMessage]) -> str:
    """The text of the newest message of the user."""
    return next((message.text for message in reversed(messages) if isinstance(message, HumanMessage)), "")


def recent_turns(messages: Sequence[AnyMessage], turns: int = LAST_TURNS) -> list[Message]:
    """The last `turns` exchanges before the newest message, oldest first, starting with the user."""
    recent = [message for message in messages[:-1] if isinstance(message, HumanMessage | AIMessage)][-2 * turns :]
    while recent and not isinstance(recent[0], HumanMessage):
        recent = recent[1:]
    return [_message(message) for message in recent]


def _message(message: HumanMessage | AIMessage) -> Message:
    return Message("user" if isinstance(message, HumanMessage) else "assistant", message.text)
