"""A client's run as what the run manager takes. Owner, thread and checkpoint come from the request's path, never from
its body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig

from agent.state import TurnContext
from server.access.callers import Caller
from server.application import Application
from server.langgraph.bodies import RunBody, TurnOptions
from server.langgraph.graph_calls import goto, graph_call, read_messages, require_messages_only, text_of
from server.langgraph.reviews import decided
from server.langgraph.views import ASSISTANT_ID, GRAPH_ID, RUN_METADATA
from server.runs.live import RunRequest
from server.runs.rows import RequestKey
from tools.errors import InputError

_KEPT = ("input", "command", "stream_mode", "interrupt_before", "interrupt_after", "stream_subgraphs", "durability")


async def run_request(
    app: Application, caller: Caller, thread_id: str | None, body: RunBody, key: RequestKey | None
) -> RunRequest:
    """Check a run's body.

    Raises:
        InputError: something in it cannot be done.
        NotFoundError: a document that it names is not this owner's.
        MissingScopeError: it resumes a review, and the caller may not decide.
        ReviewConflictError: it resumes a review that was decided before.
    """
    _check_supported(app, body)
    require_messages_only(body.command.update if body.command else None)
    options = body.context or body.config.configurable or TurnOptions()
    for document_id in options.document_ids:
        await app.documents.get(caller.owner, document_id)
    call = graph_call(body)
    messages = read_messages(body.input)
    request = RunRequest(
        owner=caller.owner,
        message=text_of(messages[-1]) if messages else await _asked_before(app, thread_id, call.checkpoint),
        thread_id=thread_id,
        context=TurnContext(
            owner=caller.owner,
            collection=options.collection,
            document_ids=tuple(options.document_ids),
            temperature=options.temperature,
            max_tokens=options.max_tokens,
        ),
        call=call,
        strategy=body.multitask_strategy,
        metadata={**body.config.metadata, **body.metadata, **RUN_METADATA},
        details=body.model_dump(include=set(_KEPT), mode="json"),
        key=key,
        key_id=caller.key_id,
    )
    resume = body.command.resume if body.command else None
    if resume is None or thread_id is None:
        return request
    state = await app.graph.aget_state(thread_config(thread_id, call.checkpoint))
    return await decided(app, caller, request, state.interrupts, resume)


def temporary(request: RunRequest, body: RunBody) -> RunRequest:
    """The run on a thread of its own, which goes with it unless the client wants it kept."""
    goes = body.on_completion == "delete"
    # Nobody can answer on a thread that is no more.
    return replace(request, temporary=goes, context=replace(request.context, may_wait=not goes))


def thread_config(thread_id: str, checkpoint: Mapping[str, str] | None = None) -> RunnableConfig:
    """The graph's config for a thread, at a checkpoint or at its latest."""
    return RunnableConfig(configurable={**(checkpoint or {}), "thread_id": thread_id})


def _check_supported(app: Application, body: RunBody) -> None:
    if body.assistant_id not in (ASSISTANT_ID, GRAPH_ID):
        raise InputError(f"There is no assistant {body.assistant_id!r}; there is {GRAPH_ID!r}.", code="no_assistant")
    for name, value in (("webhook", body.webhook), ("after_seconds", body.after_seconds)):
        if value:
            raise InputError(f"`{name}` is not supported.", code="unsupported", param=name)
    nodes = set(app.graph.nodes) - {"__start__"}
    named = [*_names(body.interrupt_before), *_names(body.interrupt_after), *goto(body)]
    if unknown := sorted(set(named) - nodes):
        raise InputError(f"The graph has no node {unknown[0]!r}; it has {', '.join(sorted(nodes))}.", code="no_node")


def _names(nodes: Sequence[str] | str) -> Sequence[str]:
    return () if isinstance(nodes, str) else nodes


async def _asked_before(app: Application, thread_id: str | None, checkpoint: Mapping[str, str]) -> str:
    """The question that a run without a new message goes on with."""
    values: dict[str, Any] = {}
    if thread_id is not None:
        values = (await app.graph.aget_state(thread_config(thread_id, checkpoint))).values
    asked = [message for message in values.get("messages", []) if isinstance(message, HumanMessage)]
    if not asked:
        raise InputError("There is nothing to go on with: send `input` with a message.", code="empty_message")
    return text_of(asked[-1])
