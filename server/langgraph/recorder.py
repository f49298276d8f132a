"""The events that LangGraph clients see of a run, named and shaped as its reference server does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

from langchain_core.messages import BaseMessage, BaseMessageChunk, message_chunk_to_message
from langchain_core.runnables import RunnableConfig

from server.langgraph.plain import to_json
from server.langgraph.views import checkpoint_view
from server.runs.live import GraphMode

StreamMode = Literal[
    "values", "updates", "messages", "messages-tuple", "custom", "debug", "tasks", "checkpoints", "events"
]


def graph_modes(asked: Sequence[StreamMode]) -> tuple[GraphMode, ...]:
    """The graph's modes that serve what a client asked for. Updates tell of interrupts, which are always sent."""
    modes: list[GraphMode] = ["updates"]
    for mode in asked:
        if mode == "messages-tuple":
            modes.append("messages")
        elif mode != "events":
            modes.append(mode)
    return tuple(dict.fromkeys(modes))


class ProtocolRecorder:
    """Satisfies `server.runs.live.Recorder` for one run of a LangGraph client."""

    def __init__(self, asked: Sequence[StreamMode]) -> None:
        """Record what a client asked for."""
        self._asked = frozenset(asked)
        self._partial: dict[str, BaseMessage] = {}

    def record(self, namespace: Sequence[str], mode: str, item: Any) -> list[tuple[str, str]]:
        """The events, as name and JSON, that an item of the graph's stream makes."""
        if mode == "messages":
            events = self._messages(item)
        elif mode == "debug":
            events = [("debug", _debug(item))] if "debug" in self._asked else []
        elif mode in self._asked:
            events = [(mode, item)]
        elif mode == "updates" and item.get("__interrupt__"):
            events = [("values", item)]
        else:
            events = []
        place = "".join(f"|{part}" for part in namespace)
        return [(f"{name}{place}", to_json(data).decode()) for name, data in events]

    def _messages(self, item: tuple[BaseMessage, dict[str, Any]]) -> list[tuple[str, Any]]:
        if "messages-tuple" in self._asked:
            return [("messages", item)]
        message, about = item
        key = str(message.id)
        events: list[tuple[str, Any]] = []
        known = self._partial.get(key)
        if known is None:
            events.append(("messages/metadata", {key: {"metadata": about}}))
            self._partial[key] = message
        else:
            self._partial[key] = cast("BaseMessage", cast("Any", known) + message)
        whole = self._partial[key]
        if isinstance(message, BaseMessageChunk):
            shown = message_chunk_to_message(whole) if isinstance(whole, BaseMessageChunk) else whole
            return [*events, ("messages/partial", [shown])]
        return [*events, ("messages/complete", [whole])]


def _debug(item: dict[str, Any]) -> dict[str, Any]:
    if item.get("type") != "checkpoint":
        return item
    payload = item["payload"]
    return {
        **item,
        "payload": {
            **payload,
            "checkpoint": checkpoint_view(payload["config"]),
            "parent_checkpoint": checkpoint_view(cast("RunnableConfig | None", payload.get("parent_config"))),
            "tasks": [_debug_task(task) for task in payload["tasks"]],
        },
    }


def _debug_task(task: dict[str, Any]) -> dict[str, Any]:
    state = task.get("state")
    if not state or "configurable" not in state:
        return task
    return {**{name: value for name, value in task.items() if name != "state"}, "checkpoint": state["configurable"]}
