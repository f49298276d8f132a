"""What nodes tell while they work, and how a turn ends: one shape for every branch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from langchain.messages import AIMessage
from langgraph.config import get_stream_writer

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
    emit("result", result.model_dump(mode="json", by_alias=True))
    kept = result.model_dump(mode="json", by_alias=True, exclude={"extraction": {"source_text"}})
    brief = {name: kept[name] for name in ("route", "routed_to", "confidence", "abstained", "reason", "citations")}
    return {"messages": [AIMessage(result.answer, additional_kwargs={"switchyard": brief})], "result": kept}
