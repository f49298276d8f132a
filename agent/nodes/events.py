"""What nodes tell while they work, and how a turn ends: one shape for every branch."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from langchain.messages import AIMessage, AIMessageChunk
from langgraph.config import get_config, get_stream_writer
from langgraph.graph.message import push_message

from agent.results import TokenUsage, TurnResult
from agent.state import GraphState, RoutedTurn
from tools.ports import Usage

EventName = Literal["route", "status", "token", "result"]


class NodeEvent(TypedDict):
    """An event of the graph's `custom` stream."""

    event: EventName
    data: dict[str, Any]


def emit(event: EventName, data: Mapping[str, Any]) -> None:
    """Send an event to whoever follows the run; outside of a run it goes nowhere."""
    get_stream_writer()(NodeEvent(event=event, data=dict(data)))
    if event == "token":
        _draft(data["text"])


def _draft(text: str) -> None:
    """Show a piece of the answer to whoever follows the graph's messages.

    Model calls themselves are not streamed there (`agent.models.endpoint_client`): what models write is guarded before
    it is sent on, and not all of it is meant for people.
    """
    task: str = (get_config().get("metadata") or {}).get("langgraph_checkpoint_ns", "")
    push_message(AIMessageChunk(content=text, id=f"draft-{task}"), state_key=None)


def finish_turn(state: RoutedTurn, *, versions: Mapping[str, str], usage: Usage, **fields: Any) -> GraphState:
    """End a turn: build its result from the router's decision and a branch's `fields`, send it and put it in the state.

    The state keeps the result without the source text, which is the message or the document itself.
    """
    decision = state["decision"]
    explanation = {"query": state["query"], "router": decision, **fields.pop("explanation", {})}
    result = TurnResult(
        routed_to=decision["routed_to"],
        confidence=decision["confidence"],
        usage=TokenUsage(
            prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens, cost_usd=usage.cost_usd
        ),
        explanation=explanation,
        versions={**state.get("versions", {}), **versions},
        **fields,
    )
    return end_turn(result)


def end_turn(result: TurnResult, message_id: str | None = None) -> GraphState:
    """Send a turn's result and put it in the state with its answer, under an id of its own where one is given."""
    emit("result", result.model_dump(mode="json", by_alias=True))
    kept = result.model_dump(mode="json", by_alias=True, exclude={"extraction": {"source_text"}})
    brief = {name: kept[name] for name in ("route", "routed_to", "confidence", "abstained", "reason", "citations")}
    answer = AIMessage(result.answer, id=message_id or _answer_id(), additional_kwargs={"switchyard": brief})
    return {"messages": [answer], "result": kept}


def answer_id(run_id: str) -> str:
    """The id of a run's answer among the messages: however often the run begins anew, it has one answer."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{run_id}/answer"))


def _answer_id() -> str | None:
    run_id: str | None = (get_config().get("metadata") or {}).get("run_id")
    return None if run_id is None else answer_id(run_id)
