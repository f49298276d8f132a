"""The graph's call that a client's body asks for; it takes nothing but the body, so that it can be made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, convert_to_messages
from langgraph.types import Command

from agent.state import GraphInput
from server.langgraph.bodies import CheckpointReference, RunBody
from server.langgraph.recorder import ProtocolRecorder, graph_modes
from server.limits import (
    CONVERSATION_TOO_LONG,
    MAX_CONVERSATION_CHARS,
    MAX_MESSAGE_CHARS,
    REPETITIVE,
    TOO_LONG,
    is_repetitive,
    is_too_long,
)
from server.runs.live import GraphCall
from tools.errors import InputError


def graph_call(body: RunBody) -> GraphCall:
    """How the graph is called for a body.

    Raises:
        InputError: its messages cannot be used.
    """
    return GraphCall(
        input=_graph_input(body, read_messages(body.input)),
        recorder=ProtocolRecorder(body.stream_mode),
        body=body.model_dump(mode="json"),
        modes=graph_modes(body.stream_mode),
        subgraphs=body.stream_subgraphs,
        callbacks="events" in body.stream_mode,
        durability=body.durability or ("exit" if body.checkpoint_during is False else "async"),
        checkpoint=checkpoint_keys(body.checkpoint, body.checkpoint_id),
        interrupt_before=body.interrupt_before,
        interrupt_after=body.interrupt_after,
    )


def graph_call_again(body: Mapping[str, Any]) -> GraphCall:
    """The same call, of the body that was kept with it.

    Raises:
        pydantic.ValidationError: the body is not one of this version.
    """
    return graph_call(RunBody.model_validate(body))


def checkpoint_keys(reference: CheckpointReference | None, checkpoint_id: str | None = None) -> dict[str, str]:
    """The part of a graph's config that names a checkpoint; empty for the latest."""
    if reference is not None and reference.checkpoint_id:
        return {"checkpoint_id": reference.checkpoint_id, "checkpoint_ns": reference.checkpoint_ns}
    return {"checkpoint_id": checkpoint_id, "checkpoint_ns": ""} if checkpoint_id else {}


def goto(body: RunBody) -> Sequence[str]:
    """The nodes that a body's command names."""
    named = body.command.goto if body.command else None
    return [named] if isinstance(named, str) else named or []


def require_messages_only(values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None) -> None:
    """Raises InputError where a client would write more of a state than messages: results and decisions are ours."""
    for written in [values] if isinstance(values, Mapping) else values or []:
        if others := sorted(written.keys() - {"messages"}):
            raise InputError(
                f"`{others[0]}` cannot be written from outside; `messages` can.", code="read_only_state", param="values"
            )


def _graph_input(body: RunBody, messages: Sequence[BaseMessage]) -> Any:
    if body.command is not None:
        given = {"resume": body.command.resume, "update": body.command.update, "goto": goto(body)}
        return Command(**cast("Any", {name: value for name, value in given.items() if value not in (None, [])}))
    return GraphInput(messages=list(cast("Any", messages))) if messages else None


def read_messages(given: Mapping[str, Any] | None) -> list[BaseMessage]:
    """The messages of an input.

    Raises:
        InputError: they are none, or none that are taken.
    """
    if not given:
        return []
    raw: Any = given.get("messages")
    try:
        found = convert_to_messages(cast("list[Any]", raw if isinstance(raw, list) else [raw]))
    except (ValueError, TypeError, NotImplementedError):
        raise InputError("`input.messages` must be messages with a role and a content.", code="invalid_input") from None
    # A system message would be a stranger's rules beside ours.
    spoken = [message for message in found if not isinstance(message, SystemMessage)]
    if not spoken or not isinstance(spoken[-1], HumanMessage) or not text_of(spoken[-1]).strip():
        raise InputError("The last of `input.messages` must be the user's, with text.", code="empty_message")
    checked = [_checked(message) for message in spoken]
    if is_too_long(message.text for message in checked):
        raise _refused(CONVERSATION_TOO_LONG, limit=MAX_CONVERSATION_CHARS)
    return checked


def _checked(message: BaseMessage) -> BaseMessage:
    if not isinstance(message, HumanMessage | AIMessage):
        raise InputError(f"Messages of type {message.type!r} are not taken.", code="invalid_input")
    text = text_of(message)
    if len(text) > MAX_MESSAGE_CHARS:
        raise _refused(TOO_LONG, length=len(text), limit=MAX_MESSAGE_CHARS)
    if is_repetitive(text):
        raise _refused(REPETITIVE)
    return type(message)(content=text, id=message.id, additional_kwargs={})


def _refused(broken: tuple[str, str], **values: int) -> InputError:
    code, sentence = broken
    return InputError(sentence.format(**values), code=code)


def text_of(message: BaseMessage) -> str:
    """A message's text."""
    if isinstance(message.content, str):
        return message.content.replace("\x00", "")
    parts = [part if isinstance(part, str) else part.get("text") for part in message.content]
    if not all(isinstance(part, str) for part in parts):
        raise InputError("Only text is read; upload files as documents.", code="unsupported_content")
    return "".join(cast("list[str]", parts)).replace("\x00", "")
