"""A client's run as what the run manager takes. Owner, thread and checkpoint come from the request's path, never from
its body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, convert_to_messages
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from agent.state import GraphInput, TurnContext
from server.application import Application
from server.inputs import MAX_MESSAGE_CHARS
from server.langgraph.bodies import CheckpointReference, RunBody, TurnOptions
from server.langgraph.recorder import ProtocolRecorder, graph_modes
from server.langgraph.views import ASSISTANT_ID, GRAPH_ID, RUN_METADATA
from server.runs.live import GraphCall, RunRequest
from tools.errors import InputError

_KEPT = ("input", "command", "stream_mode", "interrupt_before", "interrupt_after", "stream_subgraphs", "durability")


async def run_request(app: Application, owner: str, thread_id: str | None, body: RunBody) -> RunRequest:
    """Check a run's body.

    Raises:
        InputError: something in it cannot be done.
        NotFoundError: a document that it names is not this owner's.
    """
    _check_supported(app, body)
    options = body.context or body.config.configurable or TurnOptions()
    for document_id in options.document_ids:
        await app.documents.get(owner, document_id)
    checkpoint = checkpoint_keys(body.checkpoint, body.checkpoint_id)
    messages = _messages(body.input)
    call = GraphCall(
        input=_graph_input(body, messages),
        recorder=ProtocolRecorder(body.stream_mode),
        modes=graph_modes(body.stream_mode),
        subgraphs=body.stream_subgraphs,
        durability=body.durability or ("exit" if body.checkpoint_during is False else "async"),
        checkpoint=checkpoint,
        interrupt_before=body.interrupt_before,
        interrupt_after=body.interrupt_after,
    )
    return RunRequest(
        owner=owner,
        message=_text(messages[-1]) if messages else await _asked_before(app, thread_id, checkpoint),
        thread_id=thread_id,
        context=TurnContext(
            owner=owner,
            collection=options.collection,
            document_ids=tuple(options.document_ids),
            temperature=options.temperature,
            max_tokens=options.max_tokens,
        ),
        call=call,
        strategy=body.multitask_strategy,
        metadata={**body.config.metadata, **body.metadata, **RUN_METADATA},
        details=body.model_dump(include=set(_KEPT), mode="json"),
    )


def temporary(request: RunRequest, body: RunBody) -> RunRequest:
    """The run on a thread of its own, which goes with it unless the client wants it kept."""
    return replace(request, temporary=body.on_completion == "delete")


def checkpoint_keys(reference: CheckpointReference | None, checkpoint_id: str | None = None) -> dict[str, str]:
    """The part of a graph's config that names a checkpoint; empty for the latest."""
    if reference is not None and reference.checkpoint_id:
        return {"checkpoint_id": reference.checkpoint_id, "checkpoint_ns": reference.checkpoint_ns}
    return {"checkpoint_id": checkpoint_id, "checkpoint_ns": ""} if checkpoint_id else {}


def thread_config(thread_id: str, checkpoint: Mapping[str, str] | None = None) -> RunnableConfig:
    """The graph's config for a thread, at a checkpoint or at its latest."""
    return RunnableConfig(configurable={**(checkpoint or {}), "thread_id": thread_id})


def _check_supported(app: Application, body: RunBody) -> None:
    if body.assistant_id not in (ASSISTANT_ID, GRAPH_ID):
        raise InputError(f"There is no assistant {body.assistant_id!r}; there is {GRAPH_ID!r}.", code="no_assistant")
    for name, value in (("webhook", body.webhook), ("after_seconds", body.after_seconds)):
        if value:
            raise InputError(f"`{name}` is not supported.", code="unsupported", param=name)
    if "events" in body.stream_mode:
        raise InputError("The stream mode `events` is not supported; use `messages`.", code="unsupported")
    nodes = set(app.graph.nodes) - {"__start__"}
    named = [*_names(body.interrupt_before), *_names(body.interrupt_after), *_goto(body)]
    if unknown := sorted(set(named) - nodes):
        raise InputError(f"The graph has no node {unknown[0]!r}; it has {', '.join(sorted(nodes))}.", code="no_node")


def _names(nodes: Sequence[str] | str) -> Sequence[str]:
    return () if isinstance(nodes, str) else nodes


def _goto(body: RunBody) -> Sequence[str]:
    goto = body.command.goto if body.command else None
    return [goto] if isinstance(goto, str) else goto or []


def _graph_input(body: RunBody, messages: Sequence[BaseMessage]) -> Any:
    if body.command is not None:
        given = {"resume": body.command.resume, "update": body.command.update, "goto": _goto(body)}
        return Command(**cast("Any", {name: value for name, value in given.items() if value not in (None, [])}))
    return GraphInput(messages=list(cast("Any", messages))) if messages else None


def _messages(given: Mapping[str, Any] | None) -> list[BaseMessage]:
    if not given:
        return []
    raw: Any = given.get("messages")
    try:
        found = convert_to_messages(cast("list[Any]", raw if isinstance(raw, list) else [raw]))
    except (ValueError, TypeError, NotImplementedError):
        raise InputError("`input.messages` must be messages with a role and a content.", code="invalid_input") from None
    # A system message would be a stranger's rules beside ours.
    spoken = [message for message in found if not isinstance(message, SystemMessage)]
    if not spoken or not isinstance(spoken[-1], HumanMessage) or not _text(spoken[-1]).strip():
        raise InputError("The last of `input.messages` must be the user's, with text.", code="empty_message")
    return [_checked(message) for message in spoken]


def _checked(message: BaseMessage) -> BaseMessage:
    if not isinstance(message, HumanMessage | AIMessage):
        raise InputError(f"Messages of type {message.type!r} are not taken.", code="invalid_input")
    text = _text(message)
    if len(text) > MAX_MESSAGE_CHARS:
        limits = f"The message has {len(text)} characters; the limit is {MAX_MESSAGE_CHARS}."
        raise InputError(f"{limits} Upload long texts as documents.", code="message_too_long")
    return type(message)(content=text, id=message.id, additional_kwargs={})


def _text(message: BaseMessage) -> str:
    if isinstance(message.content, str):
        return message.content.replace("\x00", "")
    parts = [part if isinstance(part, str) else part.get("text") for part in message.content]
    if not all(isinstance(part, str) for part in parts):
        raise InputError("Only text is read; upload files as documents.", code="unsupported_content")
    return "".join(cast("list[str]", parts)).replace("\x00", "")


async def _asked_before(app: Application, thread_id: str | None, checkpoint: Mapping[str, str]) -> str:
    """The question that a run without a new message goes on with."""
    values: dict[str, Any] = {}
    if thread_id is not None:
        values = (await app.graph.aget_state(thread_config(thread_id, checkpoint))).values
    asked = [message for message in values.get("messages", []) if isinstance(message, HumanMessage)]
    if not asked:
        raise InputError("There is nothing to go on with: send `input` with a message.", code="empty_message")
    return _text(asked[-1])
