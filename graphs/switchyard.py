"""The graph: a router and four branches, one of which may wait for a person."""

from __future__ import annotations

from typing import Any, Literal

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agent.nodes import review, unknown
from agent.nodes.extract import ExtractNode
from agent.nodes.fraud import FraudNode
from agent.nodes.knowledge import KnowledgeNode
from agent.nodes.route import RouteNode
from agent.permissions import permitted
from agent.services import Services
from agent.state import GraphInput, GraphState, RoutedTurn, ScoredTurn, TurnContext

Switchyard = CompiledStateGraph[GraphState, TurnContext, GraphInput, GraphState]
_Branch = Literal["knowledge", "extract", "fraud", "unknown"]
_BRANCHES: dict[str, _Branch] = {
    "knowledge": "knowledge",
    "extraction": "extract",
    "fraud": "fraud",
    "unknown": "unknown",
}


def build_graph(services: Services, checkpointer: BaseCheckpointSaver[Any] | None = None) -> Switchyard:
    """Compile the graph over `services`, of which each node gets what its route may use.

    With a checkpointer, threads remember their conversation.
    """
    graph = StateGraph(GraphState, context_schema=TurnContext, input_schema=GraphInput)
    graph.add_node("route", RouteNode(permitted(services, "route")).run)
    graph.add_node("knowledge", KnowledgeNode(permitted(services, "knowledge")).run)
    graph.add_node("extract", ExtractNode(permitted(services, "extract")).run)
    graph.add_node("fraud", FraudNode(permitted(services, "fraud")).run)
    graph.add_node("unknown", unknown.run)
    graph.add_node("review", review.run)
    graph.add_edge(START, "route")
    graph.add_conditional_edges("route", _branch)
    graph.add_conditional_edges("knowledge", _answered)
    graph.add_conditional_edges("fraud", _scored)
    for branch in ("extract", "unknown", "review"):
        graph.add_edge(branch, END)
    return graph.compile(checkpointer=checkpointer, name="switchyard")


# Coroutines, although nothing here waits: LangGraph would send plain functions to a thread.
async def _branch(state: RoutedTurn) -> _Branch:
    return _BRANCHES[state["decision"]["routed_to"]]


async def _answered(state: RoutedTurn) -> Literal["unknown", "__end__"]:
    return "unknown" if state.get("refusal") else "__end__"


async def _scored(state: ScoredTurn) -> Literal["review", "__end__"]:
    return "review" if state.get("result", {}).get("interrupt") else "__end__"
